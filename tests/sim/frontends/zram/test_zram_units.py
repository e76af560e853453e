"""zram with several pages as one block: its rules one by one, and beside a slow reference, compiled and plain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from units_reference import UnitsReference

import sim.replay.replay
from allocators import PageZone
from allocators.compiled.jit import plain as python
from sim import Experiment, run
from sim.errors import SpecError, UserError
from sim.frontends.base import Frontend
from sim.frontends.compiled import slots
from sim.frontends.zram import Zram
from sim.plugins import FRONTENDS, make_allocator
from sim.ram.closed import Capacity, closed_replay
from sim.replay.detailed import detailed
from sim.replay.loop import replay as loop
from sim.replay.replay import Replay, replay
from sim.sizing.units import with_units
from workloads import COMPACT, FREE, GIVEN, IN, OUT, Events, Sizes, Trace
from workloads.samples import open_sample

SMALL, LARGE, HUGE, WORD, ZEROS = range(5)
PAGES = Sizes.given([100, 3000, 3900, 20, 20])
PAGES.same_filled[WORD:] = True
PAGES.zero_filled[ZEROS] = True
PAGES.compress_ns[:], PAGES.decompress_ns[:] = [1000, 2000, 3000, 10, 10], [100, 200, 300, 1, 1]


def joined(parts: list[Sizes]) -> Sizes:
    columns = {name: np.concatenate([part.columns()[name] for part in parts]) for name in PAGES.columns()}
    return Sizes(**columns, meta=PAGES.meta)


def trace_of(rows: list[tuple[int, ...]], pages: Sizes = PAGES) -> Trace:
    """Of (kind, slot, page), a page only for OUT."""
    kind, slot, page = (np.array(column) for column in zip(*((*row, -1)[:3] for row in rows), strict=True))
    return Trace.from_arrays("t", Events.of(kind, slot, page), None, {GIVEN: pages})


def of_units(trace: Trace, unit: int, size: Any) -> Sizes:
    """The sizes of the pages, followed by those of the units as `size` tells for the pages of each."""
    numbers = trace.units(unit).pages
    blocks = Sizes.given(np.array([size(row) for row in numbers.tolist()], np.int32))
    same = trace.sizes(GIVEN)
    assert same is not None
    alike = (numbers == numbers[:, :1]).all(axis=1) if len(numbers) else np.zeros(0, np.bool_)
    first = numbers[:, 0] if len(numbers) else np.zeros(0, np.int64)
    blocks.same_filled[:], blocks.zero_filled[:] = alike & same.same_filled[first], alike & same.zero_filled[first]
    blocks.compress_ns[:], blocks.decompress_ns[:] = 500, 4000
    return joined([same, blocks])


def total(row: list[int]) -> int:
    return int(PAGES.size[row].sum()) - 50


def played(rows: list[tuple[int, ...]], unit: int = 4, size: Any = total, zram: Frontend | None = None) -> Replay:
    trace = trace_of(rows)
    running = replay(
        trace,
        of_units(trace, unit, size),
        zram or Zram(unit=unit, zeros_apart=False),
        make_allocator("zsmalloc", unit=unit),
        1,
    )
    for _ in running:
        running.allocator.check()
    return running


def outs(*pages: int, first: int = 0) -> list[tuple[int, ...]]:
    return [(OUT, first + i, page) for i, page in enumerate(pages)]


UNIT = outs(SMALL, LARGE, SMALL, ZEROS)


def test_a_unit_is_one_object() -> None:
    running = played(UNIT)
    found = Zram(unit=4).mm_stat(running.device, running.allocator)
    assert found is not None
    assert (found.orig_data_size, found.compr_data_size) == (4 * 4096, total([SMALL, LARGE, SMALL, ZEROS]))
    assert found.same_pages == 0, "the page of zeros is compressed with the others"
    assert running.allocator.stats()["objects"] == 1
    assert running.counters()["unit_writes"] == 1


def test_pages_wait_for_the_last_one() -> None:
    assert played(UNIT[:3] + [(IN, 0)]).counters()["object_reads"] == 1, "no unit, so each is stored"
    trace = trace_of(UNIT)
    running = replay(trace, of_units(trace, 4, total), Zram(unit=4), make_allocator("zsmalloc", unit=4), 1)
    seen = [(int(o["what"][0]), int(o["objects"][0]), int(o["pages"][0]) > 0) for _, o in running]
    assert seen == [(slots.OBJECT, 0, False)] * 3 + [(slots.OBJECT, 4, True)]


def test_a_read_decompresses_all_of_it() -> None:
    counters = played([*UNIT, (IN, 1), (IN, 1), (IN, 3), *outs(SMALL, first=8), (IN, 8)]).counters()
    assert (counters["object_reads"], counters["unit_reads"], counters["pages_decompressed"]) == (4, 3, 13)


def test_a_lost_page_splits_it() -> None:
    running = played([*UNIT, (FREE, 1)])
    found = Zram(unit=4).mm_stat(running.device, running.allocator)
    assert found is not None
    assert (found.orig_data_size, found.compr_data_size, found.same_pages) == (3 * 4096, 200, 1)
    counters = running.counters()
    assert (counters["splits"], counters["split_pages"]) == (1, 2), "the page of zeros need not be compressed"
    over = played([*UNIT, (OUT, 1, HUGE)])
    assert over.counters()["splits"] == 1
    assert over.device.slots.tally[0].huge == 1


def test_a_unit_over_a_unit_splits_nothing() -> None:
    running = played([*UNIT, *outs(LARGE, LARGE, SMALL, SMALL)])
    assert running.counters()["splits"] == 0
    assert running.counters()["unit_writes"] == 2
    assert running.allocator.stats()["objects"] == 1


def test_incompressible_and_same_filled_units_are_so_as_a_whole() -> None:
    running = played([*outs(HUGE, HUGE, LARGE, HUGE), (IN, 2)], size=lambda row: 14521)
    found = Zram(unit=4).mm_stat(running.device, running.allocator)
    assert found is not None
    assert (found.compr_data_size, found.huge_pages, found.huge_pages_since) == (16384, 1, 1)
    assert running.counters()["pages_decompressed"] == 0
    same = played(outs(WORD, WORD, WORD, WORD))
    found = Zram(unit=4).mm_stat(same.device, same.allocator)
    assert found is not None
    assert (found.same_pages, found.compr_data_size, same.counters()["unit_writes"]) == (4, 0, 0)


def test_time_is_that_of_the_block() -> None:
    rows = [*UNIT, (IN, 1), (FREE, 1), (IN, 0), (FREE, 0)]
    trace = trace_of(rows)
    sizes = of_units(trace, 4, total)
    running = detailed(trace, sizes, Zram(unit=4), make_allocator("zsmalloc", unit=4))
    for _ in running:
        pass
    row = running.log.row[: len(rows)]
    assert row["compressed"].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    assert sizes.compress_ns[row["page"][:4]].tolist() == [500] * 4, "each has its share"
    assert row["bytes"].tolist()[:5] == [0, 0, 0, size := total([SMALL, LARGE, SMALL, ZEROS]), size]
    assert row["decompress_ns"].tolist() == [0, 0, 0, 0, 4000, 0, 100, 0]
    assert row["split_decompress_ns"].tolist() == [0, 0, 0, 0, 0, 4000, 0, 0]
    assert row["split_compress_ns"].tolist() == [0, 0, 0, 0, 0, 2 * 1000, 0, 0]
    assert row["split_pages"].tolist() == [0, 0, 0, 0, 0, 2, 0, 0]
    assert row["split_bytes"].tolist() == [0, 0, 0, 0, 0, 200, 0, 0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("unit=3", "zram: unit=3: give 1, 2, 4, 8, 16 pages"),
        ("unit=4,recompress=zstd", "zram: unit=4 knows no recompress; leave it or unit out"),
        ("unit=4,writeback=idle", "zram: unit=4 knows no writeback; leave it or unit out"),
        ("unit=4,backing_pages=3", "zram: unit=4 knows no backing_pages; leave it or unit out"),
        ("era=2012,unit=4", "zram: unit is not of era=2012; leave it out"),
    ],
)
def test_wrong_settings(settings: str, message: str) -> None:
    with pytest.raises(SpecError) as error:
        FRONTENDS.make("zram:" + settings)
    assert str(error.value) == message


def test_what_does_not_fit_together() -> None:
    trace = trace_of(UNIT)
    with pytest.raises(UserError, match=r"zram:unit=4: zsmalloc takes objects of 1 pages, not of 4; give it unit=4"):
        replay(trace, of_units(trace, 4, total), Zram(unit=4), make_allocator("zsmalloc"))
    with pytest.raises(UserError, match="no sizes of units of 4 pages"):
        replay(trace, PAGES, Zram(unit=4), make_allocator("zsmalloc", unit=4))
    with pytest.raises(SpecError, match="zbud: stores no object of more than a page, as unit=4"):
        make_allocator("zbud", unit=4)
    with pytest.raises(
        SpecError, match=r"allocator zsmalloc:era=6.1: .*; give allocator zsmalloc or ideal, or leave unit out"
    ):
        make_allocator("zsmalloc:era=6.1", unit=4)
    with pytest.raises(SpecError, match="zsmalloc:unit=8: its unit is not that of the frontend, 4"):
        make_allocator("zsmalloc:unit=8", unit=4)
    with pytest.raises(UserError, match="t: no contents, so 4 pages cannot be compressed together"):
        run(Experiment(traces=(trace,), frontends=("zram:unit=4",), allocators=("zsmalloc",), compressors=("lz4",)))
    whole = replay(trace, of_units(trace, 4, total), Zram(unit=4), make_allocator("zsmalloc", unit=4))
    with pytest.raises(UserError, match="zram:unit=4: its units are those of the recorded machine"):
        closed_replay(whole, Capacity(10, 10, None))  # type: ignore[arg-type]


def test_what_may_not_be_meant() -> None:
    some = "redis: has only some slots, so neighbours with unit=16 were none on the device"
    none = "redis: no 16 neighbours were paged out together, so unit=16 has no effect"
    assert list(Zram(unit=16).remarks(open_sample("redis"))) == [some, none]
    assert list(Zram(unit=4).remarks(trace_of(UNIT))) == []


def random_rows(seed: int, unit: int, count: int) -> list[tuple[int, ...]]:
    """Runs of page-outs, and single events of all kinds."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[int, ...]] = []
    n_slots = 6 * unit
    while len(rows) < count:
        page = rng.integers(0, 60, unit)
        if rng.random() < 0.15:
            page[:] = page[0]
        if rng.random() < 0.4:
            first = int(rng.integers(0, 6)) * unit
            rows += [(OUT, first + i, int(p)) for i, p in enumerate(page)]
        kind = int(rng.choice([OUT, IN, FREE, COMPACT], p=[0.2, 0.4, 0.35, 0.05]))
        rows.append(
            (kind, 0 if kind == COMPACT else int(rng.integers(0, n_slots)), int(page[0]) if kind == OUT else -1)
        )
    return rows


def random_sizes(seed: int) -> Sizes:
    rng = np.random.default_rng(seed)
    sizes = Sizes.given(np.append(rng.integers(30, 4200, 50), [20] * 10))
    sizes.same_filled[50:] = True
    sizes.zero_filled[55:] = True
    return sizes


@pytest.mark.parametrize("plain", [False, True], ids=["compiled", "plain"])
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("room", ["endless", "limit", "zone"])
@pytest.mark.parametrize("unit", [2, 4, 16])
def test_beside_a_slow_reference(unit: int, room: str, seed: int, plain: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sim.replay.replay, "loop", python(loop) if plain else loop)
    rows, rng = random_rows(seed, unit, 200), np.random.default_rng(seed + 100)
    trace = trace_of(rows, random_sizes(seed))
    sizes = of_units(trace, unit, lambda row: int(rng.integers(40, unit * 4200)))
    limit, pages = (30 if room == "limit" else 0), (40 if room == "zone" else None)
    ours, theirs = (make_allocator("zsmalloc", 4096, PageZone(pages), unit) for _ in range(2))
    zram = Zram(unit=unit, mem_limit=limit * 4096, zeros_apart=bool(seed % 2))
    keys: list[Any] = [*range(60), *map(tuple, trace.units(unit).pages.tolist())]
    fill = (sizes.same_filled.astype(int) + sizes.zero_filled).tolist()
    reference = UnitsReference(
        theirs,
        dict(zip(keys, sizes.size.tolist(), strict=True)),
        dict(zip(keys, fill, strict=True)),
        theirs.huge_size,
        theirs.huge_unit,
        limit,
        bool(seed % 2),
    )
    units = trace.units(unit)
    number = dict(zip(units.at.tolist(), units.number.tolist(), strict=True))
    running = replay(trace, sizes, zram, ours, 1)
    for i, ((kind, slot, page), (_, outcome)) in enumerate(zip(rows, running, strict=True)):
        if kind == OUT and i in number:
            members = [slot // unit * unit + k for k in range(unit)]
            what = reference.write_of_unit(members, units.pages[number[i]].tolist(), slot)
        elif kind == OUT:
            what = reference.write(slot, page)
        elif kind == COMPACT:
            theirs.compact()
            what = 0
        else:
            what = reference.read(slot) if kind == IN else reference.free(slot)
        found = outcome[0]
        state = tuple(int(found[name]) for name in ("pages", "objects", "bytes", "same_filled", "refused"))
        assert (int(found["what"]), state) == (what, reference.state()), f"event {i}"
    stat = zram.mm_stat(running.device, ours)
    assert stat is not None
    assert (*stat[:3], *stat[4:6], *stat[7:]) == reference.mm_stat()
    assert running.counters() == reference.stats()
    ours.check()


def test_in_an_experiment() -> None:
    sample = open_sample("pandas")
    result = run(
        Experiment(
            traces=(sample,),
            frontends=("zram", "zram:unit=4"),
            allocators=("zsmalloc", "ideal"),
            compressors=("lz4",),
            timing={},
        )
    )
    rows = result.density.set_index(["frontend", "allocator"])
    assert rows["density"]["zram:unit=4", "ideal"] > rows["density"]["zram", "ideal"]
    assert set(result.latency["frontend"].dropna()) == {"zram", "zram:unit=4"}
    times = result.latency.query("allocator == 'zsmalloc' and part == 'decompress'")
    mean = times.set_index(["frontend", "operation"])["mean_us"]
    assert mean["zram:unit=4", "page-in"] > mean["zram", "page-in"]
    assert mean["zram:unit=4", "free"] > mean["zram", "free"] == 0
    counts = result.counters.query("frontend == 'zram:unit=4' and allocator == 'ideal'").set_index("counter")["value"]
    assert counts["unit_writes"] * 4 <= len(sample.units(4).at)
    assert counts["pages_decompressed"] == counts["object_reads"] + 3 * counts["unit_reads"]


def test_sizes_of_units_are_those_of_the_joined_pages() -> None:
    from sim.plugins import COMPRESSORS
    from sim.sizing.sizing import size_pages

    sample = open_sample("gcc")
    for spec in ("lz4", "zstd"):
        codec = COMPRESSORS.make(spec)
        sizes = with_units(sample, size_pages(sample, codec), codec, 16)
        blocks = sample.units(16).pages
        pages = sample.page_array(0, sample.unique_pages)
        assert sizes.size[sample.unique_pages :].tolist() == [
            len(codec.compress(pages[row].tobytes())) for row in blocks
        ]
