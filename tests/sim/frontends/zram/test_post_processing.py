"""Idle marks, recompression and writeback: scenes by hand, and any order of operations beside a slow reference."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from zram_reference import ZramReference

from allocators import PageZone
from allocators.zspages.zsmalloc import Zsmalloc
from sim.errors import SpecError, UserError
from sim.frontends.compiled import slots
from sim.frontends.zram import Zram, post_processing
from sim.frontends.zram.scans import choose, mark_idle, recompress, write_back
from sim.plugins import FRONTENDS
from sim.replay.replay import replay
from sim.validate.prediction import Prediction
from workloads.traces.events import COMPACT, FREE, IN, OUT, Events
from workloads.traces.sizes import Sizes
from workloads.traces.trace import Trace

SLOTS = 40


@dataclass
class Pages:
    """Pages by number: their sizes by the primary and three secondary algorithms, and what they are filled with."""

    sizes: list[list[int]]
    fill: list[int]
    primary: Sizes = field(init=False)
    secondary: list[Sizes] = field(init=False)

    def __post_init__(self) -> None:
        self.primary, *self.secondary = [Sizes.given(column) for column in self.sizes]
        self.primary.same_filled[:] = [fill != slots.MIXED for fill in self.fill]
        self.primary.zero_filled[:] = [fill == slots.ZERO_FILLED for fill in self.fill]


def pages() -> Pages:
    """Of all kinds: small ones, some at the edges of classes and of the huge threshold, some that only grow."""
    rng = np.random.default_rng(3)
    primary = np.concatenate([rng.integers(30, 4200, 60), [3624, 3625, 3632, 3633, 4096, 4200, 64, 65]])
    shares = rng.choice([0.5, 0.8, 0.95, 1.0, 1.02], (3, len(primary)))
    columns = [primary, *np.maximum(1, primary * shares)]
    fill = np.zeros(len(primary), int)
    fill[::9], fill[::18] = slots.SAME_FILLED, slots.ZERO_FILLED
    return Pages([[int(size) for size in column] for column in columns], fill.tolist())


PAGES = pages()


class Both:
    """A simulated device and the reference, driven alike."""

    def __init__(self, zone_pages: int | None = None, algorithms: int = 4, **settings: Any) -> None:
        zones = [PageZone() if zone_pages is None else PageZone(zone_pages) for _ in range(2)]
        mem_pages = settings.pop("limit", 0)
        self.reference = ZramReference(
            Zsmalloc(zone=zones[0]), PAGES.sizes[:algorithms], PAGES.fill, limit=mem_pages, **settings
        )
        names = ("zstd", "deflate", "lz4hc")[: algorithms - 1]
        back = {"writeback_limit": settings.get("budget"), "backing_pages": settings.get("backing", 0)}
        self.zram = Zram(
            mem_limit=mem_pages * 4096,
            zeros_apart=settings.get("zeros_apart", False),
            recompress="+".join(names),
            writeback="idle",
            compressed_writeback=settings.get("compressed", False),
            **back,
        )
        self.allocator = Zsmalloc(zone=zones[1])
        self.simulated = Prediction(SLOTS, PAGES.primary, self.allocator, self.zram, *PAGES.secondary[: algorithms - 1])

    def event(self, kind: int, slot: int = 0, page: int = -1) -> None:
        self.simulated.apply(Events.of([kind], [slot], [page]))
        if kind == OUT:
            self.reference.write(slot, page)
        elif kind == IN:
            self.reference.read(slot)
        elif kind == FREE:
            self.reference.free(slot)
        else:
            self.reference.allocator.compact()

    def mark_idle(self) -> None:
        post_processing.mark_idle(self.simulated.device)
        self.reference.mark_idle()

    def recompress(self, kind: str, threshold: int, max_pages: int | None, priority: int | None) -> None:
        post_processing.recompress(self.simulated.device, self.allocator, kind, threshold, max_pages, priority)
        self.reference.recompress(kind, threshold, max_pages, priority)

    def write_back(self, kind: str) -> None:
        post_processing.write_back(self.simulated.device, self.allocator, kind)
        self.reference.write_back(kind)

    def compare(self) -> None:
        found, reference, device = self.simulated.mm_stat(), self.reference, self.simulated.device
        fields = found[:3] + found[4:6] + found[7:]
        assert fields == reference.mm_stat()
        assert found.pages_compacted == reference.allocator.stats()["pages_compacted"]
        assert self.simulated.bd_stat() == reference.bd_stat()
        assert self.zram.stats(device) == reference.stats()
        held = [reference.slots.get(slot) for slot in range(SLOTS)]
        assert device.slots.slot["what"].tolist() == [page.what if page else slots.EMPTY for page in held]
        for mark in ("idle", "incompressible", "priority", "compressed"):
            assert device.entry[mark].tolist() == [int(getattr(page, mark)) if page else 0 for page in held]
        assert device.slots.tally[0].written_back == reference.count(slots.WRITTEN_BACK)


class Machine(RuleBasedStateMachine):
    @initialize(
        zone_pages=st.sampled_from([None, None, 25]),
        limit=st.sampled_from([0, 0, 20]),
        budget=st.sampled_from([None, 0, 7]),
        backing=st.sampled_from([0, 5]),
        zeros_apart=st.booleans(),
        compressed=st.booleans(),
        algorithms=st.integers(2, 4),
        start=st.lists(st.integers(0, len(PAGES.fill) - 1), max_size=SLOTS),
    )
    def start(self, start: list[int], **settings: Any) -> None:
        self.both = Both(**settings)
        self.algorithms = settings["algorithms"]
        for slot, page in enumerate(start):
            self.both.event(OUT, slot, page)

    @rule(slot=st.integers(0, SLOTS - 1), page=st.integers(0, len(PAGES.fill) - 1))
    def write(self, slot: int, page: int) -> None:
        self.both.event(OUT, slot, page)

    @rule(slot=st.integers(0, SLOTS - 1), kind=st.sampled_from([IN, FREE]))
    def read_or_free(self, slot: int, kind: int) -> None:
        self.both.event(kind, slot)

    @rule()
    def compact(self) -> None:
        self.both.event(COMPACT)

    @rule()
    def mark_idle(self) -> None:
        self.both.mark_idle()

    @rule(
        kind=st.sampled_from(post_processing.RECOMPRESSION),
        threshold=st.sampled_from([0, 0, 100, 2000, 3624]),
        max_pages=st.sampled_from([None, None, 0, 1, 5]),
        priority=st.sampled_from([None, None, 1, 2, 3]),
    )
    def recompress(self, kind: str, threshold: int, max_pages: int | None, priority: int | None) -> None:
        if priority is None or priority < self.algorithms:
            self.both.recompress(kind, threshold, max_pages, priority)

    @rule(kind=st.sampled_from(post_processing.WRITEBACK))
    def write_back(self, kind: str) -> None:
        self.both.write_back(kind)

    @invariant()
    def equal(self) -> None:
        if hasattr(self, "both"):
            self.both.compare()

    def teardown(self) -> None:
        if hasattr(self, "both"):
            self.both.allocator.check()


def test_any_order_of_operations() -> None:
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Machine, settings=settings(max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=checks)
    )


def test_a_long_random_run_does_everything() -> None:
    rng, both = np.random.default_rng(0), Both(limit=30, budget=150, backing=12, zeros_apart=True, compressed=True)
    for step in range(1500):
        kind = int(rng.choice([OUT, IN, FREE, COMPACT], p=[0.6, 0.2, 0.18, 0.02]))
        both.event(kind, int(rng.integers(0, SLOTS)), int(rng.integers(0, len(PAGES.fill))) if kind == OUT else -1)
        if step % 40 == 0:
            both.mark_idle()
        if step % 40 == 20:
            both.recompress(str(rng.choice(post_processing.RECOMPRESSION)), int(rng.choice([0, 500])), None, None)
            both.write_back(str(rng.choice(post_processing.WRITEBACK)))
        both.compare()
    assert all(both.reference.stats().values())
    both.allocator.check()


@pytest.mark.parametrize("kind", ["idle", "all"])
def test_plain_python_is_equal(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many objects, so that the allocator's arrays must grow in the middle of a recompression."""

    def run() -> list[Any]:
        primary, secondary = Sizes.given(np.full(2000, 3000)), Sizes.given(1000 + np.arange(2000) // 2)
        simulated = Prediction(2000, primary, Zsmalloc(), Zram(recompress="zstd"), secondary)
        simulated.apply(Events.of([OUT] * 2000, range(2000), range(2000)))
        post_processing.mark_idle(simulated.device)
        post_processing.recompress(simulated.device, simulated.allocator, kind)
        post_processing.write_back(simulated.device, simulated.allocator, "huge")
        simulated.allocator.check()
        return [simulated.mm_stat(), simulated.bd_stat(), simulated.device.entry.tolist()]

    compiled = run()
    for entry in (mark_idle, choose, recompress, write_back):
        monkeypatch.setattr(post_processing.scans, entry.__name__, getattr(entry, "py_func", entry))
    assert run() == compiled


def device_of(*sizes: tuple[int, ...], **settings: Any) -> tuple[Any, Zsmalloc]:
    """A device whose slot i holds a page of `sizes[i]` bytes, by algorithm 0, 1, ..."""
    columns = [Sizes.given(column) for column in zip(*sizes, strict=True)]
    codecs = "+".join(["zstd"] * (len(columns) - 1))
    allocator = Zsmalloc()
    simulated = Prediction(len(sizes), columns[0], allocator, Zram(recompress=codecs, **settings), *columns[1:])
    simulated.apply(Events.of([OUT] * len(sizes), range(len(sizes)), range(len(sizes))))
    return simulated.device, allocator


def held(device: Any) -> list[int]:
    return [int(size) for size in device.slots.slot["bytes"]]


def test_a_size_class_must_be_gained() -> None:
    """There are classes of 1,888, 1,904 and 1,920 bytes, 8 of which are for the handle."""
    device, allocator = device_of((1912, 1897), (1912, 1896), (1896, 1881), (1896, 1880))
    post_processing.recompress(device, allocator)
    assert held(device) == [1912, 1896, 1896, 1880]
    assert device.entry["incompressible"].tolist() == [1, 0, 1, 0]


def test_algorithms_are_tried_in_turn_until_one_gains() -> None:
    device, allocator = device_of((3000, 3000, 2000, 1000), (3000, 2500, 1000, 100))
    post_processing.recompress(device, allocator)
    assert held(device) == [2000, 2500]
    assert device.entry["priority"].tolist() == [2, 1]
    post_processing.recompress(device, allocator)
    assert held(device) == [1000, 1000]


def test_only_the_last_algorithm_tells_that_a_page_is_incompressible() -> None:
    device, allocator = device_of((3000, 3000, 3000), (3000, 3000, 1000))
    post_processing.recompress(device, allocator, priority=1)
    assert device.entry["incompressible"].tolist() == [0, 0]
    post_processing.recompress(device, allocator)
    assert (held(device), device.entry["incompressible"].tolist()) == ([3000, 1000], [1, 0])


def test_a_threshold_bounds_both_sizes() -> None:
    device, allocator = device_of((3000, 1500), (3000, 900), (999, 100))
    post_processing.recompress(device, allocator, threshold=1000)
    assert held(device) == [3000, 900, 999]
    assert device.entry["incompressible"].tolist() == [1, 0, 0]


def test_recompression_is_no_access_but_takes_the_mark() -> None:
    device, allocator = device_of((3000, 1000), (3000, 3000), (100, 50))
    post_processing.mark_idle(device)
    post_processing.recompress(device, allocator, "idle", threshold=200)
    assert device.entry["idle"].tolist() == [0, 0, 1]


def test_a_huge_page_recompressed_is_no_longer_huge() -> None:
    device, allocator = device_of((4096, 3624), (4096, 3625), (4096, 1000))
    post_processing.recompress(device, allocator, "huge")
    assert held(device) == [3624, 4096, 1000]
    assert (int(device.slots.tally[0].huge), int(device.counts[0].huge_since)) == (1, 3)


def test_writeback_takes_the_largest_first_and_of_a_bucket_the_last() -> None:
    device, allocator = device_of((100,), (3000,), (3001,), (4096,), (3100,), writeback="idle", writeback_limit=3)
    post_processing.mark_idle(device)
    post_processing.write_back(device, allocator, "idle")
    assert np.flatnonzero(device.slots.slot["what"] == slots.WRITTEN_BACK).tolist() == [2, 3, 4]
    assert (allocator.stats()["objects"], int(device.counts[0].budget)) == (2, 0)


def test_what_the_kernel_refuses() -> None:
    device, allocator = device_of((3000, 1000))
    for settings_, said in (
        ({"priority": 2}, "no secondary algorithm 2, there are 1"),
        ({"threshold": 3625}, "threshold=3625; give 0 or less than 3625"),
        ({"kind": "incompressible"}, "type 'incompressible' is unknown; use all, idle, huge, huge_idle"),
    ):
        with pytest.raises(UserError, match=said):
            post_processing.recompress(device, allocator, **settings_)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="no secondary algorithm 1"):
        post_processing.recompress(*device_of((3000,)))


@pytest.mark.parametrize("batch", [7, 50, 1000])
def test_post_processing_comes_at_every_period_whatever_the_batches(batch: int) -> None:
    rng = np.random.default_rng(5)
    kinds = rng.choice([OUT, IN, FREE], 600, p=[0.6, 0.2, 0.2])
    numbers = np.where(kinds == OUT, rng.integers(0, len(PAGES.fill), 600), -1)
    events = Events.of(kinds, rng.integers(0, SLOTS, 600), numbers)
    trace = Trace.from_arrays("any", events, None, {"given": PAGES.primary})
    zram = FRONTENDS.make("zram:recompress=zstd,writeback=huge_idle+idle,writeback_limit=60,every=50")
    allocator = Zsmalloc()
    running = replay(trace, PAGES.primary, zram, allocator, batch, secondary=PAGES.secondary[:1])
    for _ in running:
        pass
    reference = ZramReference(Zsmalloc(), PAGES.sizes[:2], PAGES.fill, budget=60)
    for i, (kind, slot, page) in enumerate(zip(events.kind, events.slot, events.page, strict=True)):
        if kind == OUT:
            reference.write(int(slot), int(page))
        elif kind == IN:
            reference.read(int(slot))
        else:
            reference.free(int(slot))
        if i % 50 == 49:
            reference.recompress("idle", 0, None, None)
            reference.write_back("huge_idle")
            reference.write_back("idle")
            reference.mark_idle()
    assert running.counters() == reference.stats()
    assert allocator.pages == reference.allocator.pages
    assert reference.recompressed > 10
    assert reference.bd_writes > 10


def test_a_users_allocator_is_kept_up_too() -> None:
    from frontend_kit import PagePer

    trace = Trace.from_arrays("t", Events.of([OUT] * 3, [0, 1, 2], [0, 1, 2]), None, {"given": Sizes.given([9, 8, 7])})
    zram = Zram(recompress="zstd", recompress_type="all", every=3)
    running = replay(trace, trace.sizes("given"), zram, PagePer(), secondary=[Sizes.given([9, 7, 8])])
    assert [outcome["objects"].tolist() for _, outcome in running] == [[1, 2, 3]]
    assert (running.counters()["recompressed"], running.counters()["incompressible"]) == (1, 2)


def test_spec() -> None:
    for spec in (
        "zram:zeros_apart=true",
        "zram:recompress=zstd:level=9+deflate,threshold=1000",
        "zram:writeback=huge_idle+incompressible,writeback_limit=0,every=5000",
    ):
        assert FRONTENDS.make(spec).spec == spec
    assert FRONTENDS.make("zram:recompress=zstd:level=9+deflate").compressors == ("zstd:level=9", "deflate")
    assert (FRONTENDS.make("zram").period, FRONTENDS.make("zram:writeback=idle").period) == (0, 1000)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("recompress=a+b+c+d", "recompress=a.b.c.d: give up to 3 compressors, joined by"),
        ("recompress=zstd+", "give up to 3 compressors"),
        ("recompress=zstd,recompress_type=old", "recompress_type: 'old' is unknown; use all, idle"),
        ("writeback=idle+old", "writeback: 'old' is unknown; use idle, huge"),
        ("writeback=idle,every=0", "every=0: give a number of events"),
        ("writeback=idle,writeback_limit=-1", "writeback_limit=-1"),
        ("writeback_limit=5", "writeback_limit has no effect without writeback"),
        ("compressed_writeback=true", "compressed_writeback has no effect without writeback"),
        ("threshold=5", "threshold has no effect without recompress"),
        ("mem_limit=-1", "mem_limit=-1: give 0"),
    ],
)
def test_wrong_settings(spec: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        FRONTENDS.make("zram:" + spec)
