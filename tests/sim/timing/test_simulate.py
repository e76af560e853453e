"""Timed runs of traces: what each step costs, by hand; equal in every process; every frontend and allocator."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from allocators import Allocator, PageZone
from sim.errors import SpecError, UserError
from sim.plugins import FRONTENDS, MAPPINGS, make_allocator, register
from sim.timing import arrivals
from sim.timing.costs import Costs, read_costs
from sim.timing.latency import TOTAL
from sim.timing.mapping import Mapping
from sim.timing.setting import ARRIVALS, Setting
from sim.timing.simulate import Timed, simulate
from workloads import COMPACT, FREE, GIVEN, IN, OUT, Events, Sizes, Trace
from workloads.generators.base import churn, with_pages

OUT_NS, IN_NS, HIT, PAGE = 360 + 400 + 10, 420 + 1200, 250, 400
FREE_OF_CHARGE = ("copy.start", "copy.per_kib", "copy.cold_start", "copy.cold_per_kib", "path.object", "alloc.grow")


def costs(**changed: float) -> Costs:
    """The shipped costs with copies and memory free of charge, an allocator's round, and what is given (dots as __)."""
    found = read_costs()
    free = [*FREE_OF_CHARGE, *(name for name in found.entries if name.startswith("memory."))]
    round_ones = {"alloc.hit": HIT, "alloc.free": 250.0, "alloc.page": PAGE}
    given = {name.replace("__", "."): value for name, value in changed.items()}
    for name, value in (dict.fromkeys(free, 0.0) | round_ones | given).items():
        found = found.with_value(name, value)
    return found


def trace(
    kinds: list[int], slots: list[int], pages: list[int], sizes: list[int], **columns: Any
) -> tuple[Trace, Sizes]:
    """A trace of sizes that take 5 us to compress and 2 us to decompress."""
    given = Sizes.given(sizes)
    given.compress_ns[:], given.decompress_ns[:] = 5000, 2000
    events = Events.of(kinds, slots, pages, **columns)
    return Trace.from_arrays("small", events, None, {GIVEN: given}), given


def timed(
    case: tuple[Trace, Sizes], allocator: str | Allocator = "zbud", frontend: str = "zram", **setting: Any
) -> Timed:
    """One run, saturated on one CPU unless told otherwise; with every operation kept."""
    given = setting.pop("costs", costs())
    if isinstance(allocator, str):
        allocator = make_allocator(allocator)
    chosen = Setting(**{"arrivals": "saturate", "cpus": 1} | setting)
    return simulate(*case, FRONTENDS.make(frontend), allocator, chosen, given, events=True)


def took(run: Timed, part: str = TOTAL) -> list[float]:
    """A part of each operation, ns."""
    return [round(us * 1e3, 6) for us in run.events[f"{part}_us"].tolist()]


def busy(n: int = 4000, seed: int = 3) -> tuple[Trace, Sizes]:
    """Random events of all kinds from three tasks, with times."""
    rng = np.random.default_rng(seed)
    given = Sizes.given(rng.integers(1, 4097, 500))
    given.same_filled[::20] = given.zero_filled[::40] = True
    given.compress_ns[:] = rng.integers(3000, 9000, 500)
    given.decompress_ns[:] = rng.integers(1000, 3000, 500)
    events = churn(n, 600, rng)
    events.kind[100::777] = COMPACT
    events.kind[(events.kind == FREE) & (rng.random(len(events)) < 0.6)] = IN
    events.slot[events.kind == COMPACT] = 0
    events.page[events.kind != OUT] = -1
    events = with_pages(events, rng.integers(0, 500, int((events.kind == OUT).sum())))
    times = np.cumsum(rng.exponential(4000, len(events))).astype(np.int64)
    columns = events.columns() | {"time_ns": times, "task": rng.integers(1, 4, len(events)).astype(np.int32)}
    return Trace.from_arrays("busy", Events(**columns), None, {GIVEN: given}), given


def test_a_page_out_step_by_step() -> None:
    # The first takes a new page, outside the lock, and looks twice; the second fits beside it; the third overwrites.
    run = timed(trace([OUT, OUT, OUT], [0, 1, 0], [0, 0, 0], [1000]))
    new = OUT_NS + 5000 + 2 * HIT + PAGE
    assert took(run)[:2] == [new, OUT_NS + 5000 + HIT]
    assert took(run)[2] == new + 250, "the new object is in a page of its own, then the old one is freed"
    assert took(run, "compress") == [5000] * 3
    assert run.events["operation"].tolist() == ["page-out"] * 3


def test_a_block_of_two_pages_is_taken_and_given_back_at_once() -> None:
    run = timed(trace([OUT, FREE], [0, 0], [0, -1], [1000]), "order1", costs=costs(alloc__order1=1000.0))
    assert run.counters["pages_drawn"] == 2
    assert took(run, "alloc") == [2 * HIT + 1000, 250 + 200]


def test_copies_go_by_size() -> None:
    run = timed(trace([OUT, OUT], [0, 1], [0, 1], [1024, 2048]), costs=costs(copy__start=7.0, copy__per_kib=100.0))
    assert took(run, "copy") == [107, 207]


def test_a_page_in_step_by_step() -> None:
    run = timed(trace([OUT, IN, IN, FREE], [0, 0, 5, 0], [0, -1, -1, -1], [1000]))
    assert took(run)[1:3] == [IN_NS + 2000, IN_NS], "the other slot is empty"
    assert took(run)[3] == 340 + 250 + 200, "its page goes with it"


def test_same_filled_pages_are_not_compressed() -> None:
    case = trace([OUT, IN], [0, 0], [0, -1], [30])
    case[1].same_filled[:] = True
    run = timed(case)
    assert took(run, "compress") == took(run, "decompress") == [0, 0]
    assert took(run, "check") == [200, 0]
    assert took(timed(case, frontend="raw"), "compress") == [5000, 0]


def test_incompressible_pages_are_copied_not_decompressed() -> None:
    run = timed(
        trace([OUT, IN], [0, 0], [0, -1], [4096]),
        "zsmalloc",
        costs=costs(copy__per_kib=100.0, copy__cold_per_kib=110.0),
    )
    assert took(run, "copy") == [400, 440]
    assert took(run, "decompress") == [0, 0]


def test_refused_pages_go_to_the_device() -> None:
    case = trace([OUT, IN], [0, 0], [0, -1], [4000])
    run = timed(case, "zbud", device="hdd")  # zbud takes no object of that size
    assert run.counters["device_pages_written"] == run.counters["device_pages_read"] == 1
    assert min(took(run, "device")) > 4_000_000
    assert took(run, "decompress") == [0, 0]


def test_only_objects_that_span_pages_pay_for_their_mapping() -> None:
    case = busy()
    for name in ("pte", "pte-global", "copy", "vmap", "map-vm-area"):
        cost = MAPPINGS.make(name).cost(read_costs(), 4)
        run = timed(case, "zsmalloc", mapping=name, cpus=4)
        paid = run.events["map_us"] * 1e3
        assert set(np.unique(paid.round(6))) == {0.0, round(cost, 6)}
        assert (paid > 0).sum() == run.counters["spanning"] > 0
        assert not timed(case, "xvmalloc", mapping=name, cpus=4).events["map_us"].any()


def test_a_global_flush_interrupts_every_other_cpu() -> None:
    assert [MAPPINGS.make("pte-global").cost(read_costs(), cpus) for cpus in (1, 4)] == [760 / 3, (760 + 3 * 1000) / 3]


@pytest.mark.parametrize("name", ["kmap-pair", "contiguous"])
def test_a_mapping_that_cannot_serve_is_counted(name: str) -> None:
    run = timed(busy(), "zsmalloc", mapping=name)
    failed = run.events["operation"] == "failed"
    assert failed.sum() == run.counters["spanning"] > 0
    assert not run.events["decompress_us"][failed].any()
    assert not (timed(busy(), "order1", mapping=name).events["operation"] == "failed").any()


def test_vmap_fails_without_a_free_page() -> None:
    case = busy()
    plenty = timed(case, make_allocator("zsmalloc", zone=PageZone(100_000)), mapping="vmap")
    assert not (plenty.events["operation"] == "failed").any()
    scarce = timed(case, make_allocator("zsmalloc", zone=PageZone(120)), mapping="vmap")
    failed = scarce.events["operation"] == "failed"
    assert 0 < failed.sum() < scarce.counters["spanning"]


def test_a_mapping_of_ones_own() -> None:
    class Free(Mapping):
        """Costs a nanosecond."""

        name = "free"

        def cost(self, costs: Costs, cpus: int) -> float:
            return 1.0

    try:
        register(Free)
        with pytest.raises(SpecError, match="'free' is there already"):
            register(type("Other", (Free,), {}))
        paid = timed(busy(), "zsmalloc", mapping="free").events["map_us"]
        assert (timed(busy(), "zsmalloc", mapping=Free()).events["map_us"] == paid).all()
        assert paid.max() == pytest.approx(0.001)
    finally:
        MAPPINGS._registered.pop("free", None)


def test_readahead_costs_and_saves() -> None:
    # Four slots; the first page-in reads them all, the others find theirs in the swap cache; one is never used.
    kinds = [OUT] * 4 + [IN] * 3
    case = trace(kinds, [0, 1, 2, 3, 1, 0, 2], [0] * 4 + [-1] * 3, [1000])
    run = timed(case, page_cluster=2)
    fault = IN_NS + 2000
    assert took(run)[4:] == [fault + 3 * (600 + 420 + 2000), 1200 + 150, 1200 + 150]
    counters = run.counters
    assert (counters["readahead_pages"], counters["readahead_useful"], counters["readahead_useless"]) == (3, 2, 1)
    assert took(timed(case))[4:] == [fault] * 3


def test_readahead_from_the_device_is_one_request() -> None:
    submit, page = 1500, 600 + 420
    refused = trace([OUT, OUT, IN], [0, 1, 0], [0, 0, -1], [4096])
    run = timed(refused, frontend="raw", page_cluster=1)
    assert (took(run, "readahead")[2], run.counters["device_pages_read"]) == (page, 2)
    mine = trace([OUT, OUT, IN], [0, 1, 0], [0, 1, -1], [1000, 4096])
    run = timed(mine, frontend="raw", page_cluster=1, device="hdd")
    assert (took(run, "readahead")[2], took(run, "device")[2]) == (page + submit, 0), "its own page is in the pool"


def test_times_since_1970_are_as_exact_as_any() -> None:
    late, early = (
        timed(trace([OUT] * 3, [0, 1, 2], [0] * 3, [1000], time_ns=[at, at + 1, at + 10_001]), arrivals="recorded")
        for at in (1_700_000_000_000_000_000, 0)
    )
    assert late.events["arrived_us"].tolist() == early.events["arrived_us"].tolist() == [0, 0.001, 10.001]


def test_writeback_is_done_by_a_thread_of_its_own() -> None:
    n = 400
    case = trace([OUT] * n, list(range(n)), [0] * n, [3000])
    run = timed(case, "zsmalloc", "zswap:era=6.10,ram_pages=500", arrivals="closed", device="nvme")
    operations, event = run.events["operation"], run.events["event"]
    written = operations == "writeback"
    assert written.sum() > 0
    assert run.counters["device_pages_written"] == written.sum() + (run.events["device_us"][~written] > 0).sum()
    assert (event[written] < n).all()
    refused = ~written & (run.events["device_us"] > 0)
    assert not run.events["compress_us"][refused].any(), "a full pool refuses before it compresses"


def test_compaction_takes_its_time() -> None:
    run = timed(busy(), "zsmalloc")
    compactions = run.events["total_us"][run.events["operation"] == "compact"]
    assert compactions.max() > 1.0
    assert not timed(busy(), "xvmalloc").events["total_us"][run.events["operation"] == "compact"].any()


def test_compaction_copies_every_object_that_it_moves() -> None:
    # Sixty objects of one class, of which the even ones are freed.
    n = 60
    kinds, slots = [OUT] * n + [FREE] * (n // 2) + [COMPACT], [*range(n), *range(0, n, 2), 0]
    case = trace(kinds, slots, [0] * n + [-1] * (n // 2 + 1), [1000])
    given = costs(copy__cold_per_kib=1024.0, compact__object=1e6, alloc__release=0.0)
    run = timed(case, "zsmalloc", costs=given)
    moved, copied = took(run, "alloc")[-1] / 1e6, took(run, "copy")[-1]
    assert moved > 0
    assert copied / moved == 1024, "the size of its class, into which that of 1008 bytes is merged"


def test_objects_read_ahead_are_mapped_too() -> None:
    free, dear = (
        timed(busy(), "zsmalloc", page_cluster=2, mapping="pte", costs=costs(map__pte=cycles)) for cycles in (0.0, 3e6)
    )
    mapped = (dear.events["readahead_us"] - free.events["readahead_us"]) / 1e3  # a million ns each
    assert mapped.max() >= 1
    assert mapped == pytest.approx(mapped.round())


def test_what_was_recompressed_is_decompressed_by_its_codec() -> None:
    case = trace([OUT, OUT, IN, IN], [0, 1, 0, 1], [0, 1, -1, -1], [3000, 3000])
    second = Sizes.given([100, 2990])  # gains a size class for the first page only
    second.decompress_ns[:] = 50_000
    frontend = FRONTENDS.make("zram:recompress=zstd,recompress_type=all,every=2")
    setting = Setting(arrivals="saturate", cpus=1)
    run = simulate(*case, frontend, make_allocator("zsmalloc"), setting, costs(), secondary=(second,), events=True)
    assert took(run, "decompress")[2:] == [50_000, 2000]


@pytest.mark.parametrize(("compressed", "expected"), [("false", [0, 0, 0]), ("true", [2000, 50_000, 0])])
def test_what_was_written_back_compressed_is_decompressed_by_its_codec(compressed: str, expected: list[int]) -> None:
    """Of three pages one stays as it was made, one is recompressed, one is kept whole; then all are written back."""
    case = trace(
        [OUT, OUT, OUT, FREE, IN, IN, IN], [0, 1, 2, 3, 0, 1, 2], [0, 1, 2, -1, -1, -1, -1], [3000, 3000, 4096]
    )
    second = Sizes.given([3000, 100, 4096])
    second.decompress_ns[:] = 50_000
    way = "recompress=zstd,recompress_type=all,writeback=idle+huge_idle,every=2"
    frontend = FRONTENDS.make(f"zram:{way},compressed_writeback={compressed}")
    setting = Setting(arrivals="saturate", cpus=1)
    run = simulate(*case, frontend, make_allocator("zsmalloc"), setting, costs(), secondary=(second,), events=True)
    assert took(run, "decompress")[4:] == expected
    assert run.events["device_us"][4:].min() > 0


def test_one_stream_in_2012() -> None:
    case = busy()
    then = timed(case, "xvmalloc", "zram:era=2012", cpus=4)
    now = timed(case, "xvmalloc", "zram", cpus=4)
    assert then.events["stream_us"].max() > 2
    assert not now.events["stream_us"].any()
    assert timed(case, "xvmalloc", "zram", cpus=4, streams=2).events["stream_us"].max() > 2


def test_a_pool_wide_lock_is_waited_for_more_than_class_locks() -> None:
    case = busy(20_000)
    given = costs(alloc__hit=3000.0, alloc__free=3000.0)
    waits = {a: np.mean(took(timed(case, a, cpus=8, costs=given), "lock")) for a in ("zsmalloc", "xvmalloc")}
    assert waits["xvmalloc"] > 3 * waits["zsmalloc"]


def test_a_slower_cpu_takes_longer_and_the_device_does_not() -> None:
    case = trace([OUT, OUT], [0, 1], [0, 1], [1000, 4000])
    once, twice = (timed(case, cpu_scale=scale) for scale in (1.0, 2.0))
    assert took(twice)[0] == 2 * took(once)[0]
    cpu = [t - d for t, d in zip(took(once), took(once, "device"), strict=True)]
    assert took(twice)[1] == pytest.approx(took(twice, "device")[1] + 2 * cpu[1])


@pytest.mark.parametrize("kind", ARRIVALS)
@pytest.mark.parametrize(
    "frontend", ["zram", "zswap:ram_pages=300", "zswap:era=6.1,ram_pages=300", "zcache", "raw", "zram:era=2012"]
)
def test_every_frontend_and_arrival(frontend: str, kind: str) -> None:
    case = busy()
    run = timed(case, "zsmalloc:era=2012", frontend, arrivals=kind, cpus=3, page_cluster=2, load=5.0, device="emmc")
    ends = {name: int((run.events["operation"] == name).sum()) for name in ("page-out", "page-in", "free", "failed")}
    counts = case[0].counts
    assert ends["page-out"] == counts["out"]
    assert ends["page-in"] == counts["in"]
    assert ends["free"] == counts["free"]
    totals = {row["operation"]: row for row in run.rows if row["part"] == TOTAL}
    for name in ("page-out", "page-in"):
        mine = run.events["total_us"][run.events["operation"] == name]
        assert totals[name]["count"] == len(mine)
        assert totals[name]["mean_us"] == pytest.approx(mine.mean())
        parts = sum(row["mean_us"] for row in run.rows if row["operation"] == name and row["part"] != TOTAL)
        assert parts == pytest.approx(totals[name]["mean_us"])
    assert 0 < run.counters["cpu_use"] <= 1


class Own(Allocator):
    """A user's own: a page an object."""

    name = "own"

    def __init__(self) -> None:
        self.held: set[int] = set()
        self.next = 0

    def alloc(self, size: int) -> int:
        self.next += 1
        self.held.add(self.next)
        return self.next

    def free(self, handle: int) -> None:
        self.held.remove(handle)

    @property
    def pages(self) -> int:
        return len(self.held)


def test_a_users_allocator_is_timed_like_any() -> None:
    run = timed(busy(), Own(), cpus=2, arrivals="closed")
    assert run.counters["pages_drawn"] > 0
    assert run.counters["spanning"] == 0


def test_more_than_the_device_can_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "MOST_INSIDE", 300)
    n = 3000
    case = trace([OUT] * n, list(range(n)), [0] * n, [4000], time_ns=list(range(0, n * 1000, 1000)))
    run = timed(case, "zbud", arrivals="recorded", device="hdd")
    assert run.counters["overloaded"] == 1
    assert run.counters["operations"] == len(run.events["event"]) == 300, "what never came is no operation"
    fine = timed(case, "zbud", arrivals="recorded", device="hdd", load=1e-5)
    assert fine.counters["overloaded"] == 0


def test_arrivals_that_the_trace_cannot_give() -> None:
    case = trace([OUT, OUT], [0, 1], [0, 0], [100])
    with pytest.raises(UserError, match="arrivals=recorded: the trace has no times"):
        timed(case, arrivals="recorded")
    assert took(timed(case, arrivals="closed"))[1] > 0, "without times there is no think time"
    case = trace([OUT, OUT], [0, 1], [0, 0], [100], task=[1, -1])
    with pytest.raises(UserError, match="row 1: task -1 is unknown"):
        timed(case, arrivals="closed")
    assert timed(case, arrivals="saturate").counters["operations"] == 2


DIGEST = """
import hashlib, sys
sys.path.insert(0, {here!r})
from test_simulate import busy, timed
run = timed(busy(), "zsmalloc", "zswap:ram_pages=300", arrivals={kind!r}, cpus=2, page_cluster=3, device="emmc")
columns = b"".join(column.tobytes() for column in run.events.values())
print(hashlib.sha256(columns + repr((run.rows, run.counters)).encode()).hexdigest())
"""


@pytest.mark.parametrize("kind", ["closed", "recorded"])
def test_equal_in_every_process(kind: str) -> None:
    code = DIGEST.format(here=os.path.dirname(__file__), kind=kind)
    digests = set()
    for seed in ("0", "1"):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        digests.add(subprocess.check_output([sys.executable, "-c", code], text=True, env=environment))
    assert len(digests) == 1
