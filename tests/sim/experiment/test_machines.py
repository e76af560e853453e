"""Machines of other sizes: which there are, what is refused, and what a run on them gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sim import Experiment, Machine, Result, Timing, run
from sim.errors import UserError
from sim.plugins import make_allocator
from sim.units import UNITS
from workloads import GIVEN, IN, OUT, Events, Sizes, Trace, open_recording

MIB = UNITS["M"]
GCC = 440 * MIB  # what it was recorded in


def ran(**given: Any) -> Result:
    names = ("ram", "limit", "policy", "recorded", "together")
    machine = Machine(**{name: given.pop(name) for name in names if name in given})
    settings = {"traces": ("gcc",), "allocators": ("zsmalloc",), "compressors": ("lz4",)} | given
    return run(Experiment(**settings, machine=machine), workers=1)


@pytest.fixture(scope="module")
def result() -> Result:
    return ran(ram="440M..560M:40M", compressors=("lz4", "zstd"))


def test_sizes_may_be_texts_and_ranges() -> None:
    machine = Machine(ram=("300M..400M:25M", "1.5G", 300 * MIB))
    points = list(machine.points(open_recording("gcc")))
    assert [point.size // MIB for point in points] == [300, 325, 350, 375, 400, 1536]
    assert all(point.shared for point in points)


def test_auto_ends_where_nothing_goes_out() -> None:
    gcc = open_recording("gcc")
    most = 440 + -(-gcc.fullest.slots * gcc.page_size // MIB)
    shared, alone = ([p.size // MIB for p in Machine(**{name: "auto"}).points(gcc)] for name in ("ram", "limit"))
    assert len(shared) == len(alone) == 5
    assert (alone[0], alone[-1], shared[-1]) == (440, most, most)
    made = ran(ram=("auto", "480M"))
    assert made.ram.loc[made.ram["ram"] == most * MIB, "page_outs"].eq(0).all()
    own = made.ram[made.ram["frontend"] == "zram"].set_index("ram")["below"]
    assert own.drop(480 * MIB).max() < 0.01
    assert len(own) == 6


def in_and_out(pages: int, page_size: int = 4096) -> Trace:
    """So many pages go out, come back and go out again; it was recorded in 10 pages."""
    every, none = [*range(pages)], [-1] * pages
    kinds = [OUT] * pages + [IN] * pages + [OUT] * pages
    events = Events.of(kinds, every * 3, every + none + every)
    sizes = Sizes.given([page_size // 4] * pages)
    return Trace.from_arrays("small", events, None, {GIVEN: sizes}, {"limit": 10 * page_size}, page_size=page_size)


@pytest.mark.parametrize(
    ("pages", "page_size", "ram", "limit"),
    [
        (1, 4096, [1], [0, 1]),
        (2, 4096, [1, 2], [0, 1, 2]),
        (3, 16384, [1, 2, 3], [0, 1, 2, 3]),
        (7, 4096, [3, 4, 5, 6, 7], [0, 2, 4, 6, 7]),
        (50, 4096, [18, 26, 34, 42, 50], [0, 14, 26, 38, 50]),
        (900, 65536, [310, 454, 614, 758, 902], [6, 230, 454, 678, 902]),
    ],
)
def test_auto_suits_small_traces_too(pages: int, page_size: int, ram: list[int], limit: list[int]) -> None:
    """By pages beyond those it was recorded in; in the last nothing goes out."""
    trace = in_and_out(pages, page_size)
    for machine, more in ((Machine(ram="auto"), ram), (Machine(limit="auto"), limit)):
        assert [point.size / page_size - 10 for point in machine.points(trace)] == more
        alone = [point.size / page_size - 10 for point in machine.baseline(trace)]
        assert {*more, 0} <= {*alone}
        assert pages <= max(alone) <= max(12, 1.35 * pages)


def test_on_machines_of_a_few_pages_what_goes_out_is_told() -> None:
    rows = run(Experiment((in_and_out(8),), machine=Machine(limit="auto")), workers=1).ram
    own = rows[rows["frontend"] == "zram"].sort_values("limit")
    assert own["page_outs"].tolist() == [16, 12, 8, 4, 0]


def test_on_other_machines_todays_allocator_is_the_default() -> None:
    assert Experiment(machine=Machine(ram="auto")).allocators == ("zsmalloc",)
    assert Experiment(machine=Machine(ram="auto"), allocators=("zbud",)).allocators == ("zbud",)
    assert len(Experiment().allocators) > 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ram": "300M..200M:10M"}, r"ram=300M\.\.200M:10M is no range of sizes; write 300M\.\.600M:25M"),
        ({"ram": "300M..400M"}, "is no range of sizes"),
        ({"ram": "1M..9G:1"}, "is no range of sizes"),
        ({"ram": "much"}, "ram='much'; give a size such as 400M"),
        ({"limit": 0}, "limit=0; give a size such as 400M"),
        ({"limit": -4096}, "give a size such as 400M"),
        ({"ram": True}, "give a size such as 400M"),
        ({"policy": "random"}, "has no effect without ram or limit"),
        ({"recorded": "400M"}, "has no effect without ram or limit"),
        ({"together": True}, "has no effect without ram or limit"),
        ({"ram": "400M", "together": 1}, "together=1; give true or false"),
        ({"ram": "500M", "policy": 3}, "policy holds 3; give specs or policy objects"),
        ({"ram": "500M", "recorded": "much"}, "recorded='much'; give a size such as 400M"),
    ],
)
def test_what_is_wrong_is_told(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        Machine(**given)


def test_less_than_was_recorded_is_refused_in_one_line() -> None:
    with pytest.raises(UserError, match="gcc: 300M is less than the 440M it was recorded in, so nothing is known"):
        ran(ram="300M")
    assert ran(limit=("300M", "440M")).ram["limit"].min() == GCC, "of a range, those of which something is known"


def test_a_trace_that_does_not_tell_its_memory_needs_it_given() -> None:
    text = "bell:events=4000,slots=1500"
    with pytest.raises(UserError, match="does not tell in how much memory it was recorded; give it as recorded"):
        ran(traces=(text,), ram="40M")
    rows = ran(traces=(text,), ram="40M", recorded="38M").ram
    assert rows["page_outs_avoided"].max() > 0


def test_as_recorded_it_is_the_open_replay() -> None:
    closed, opened = ran(limit=GCC), ran()
    same = [name for name in opened.density if name in closed.density]
    assert closed.density[same].equals(opened.density[same])
    row = closed.ram.iloc[0]
    counts = open_recording("gcc").counts
    assert (row["page_outs"], row["page_ins"], row["page_ins_avoided"]) == (counts["out"], counts["in"], 0)
    assert opened.ram.empty


def test_the_more_ram_the_fewer_page_ins_and_the_denser_codec_has_fewer(result: Result) -> None:
    rows = result.ram[result.ram["frontend"] == "zram"]
    table = rows.pivot_table(index="ram", columns="compressor", values="page_ins")
    assert (table.diff().dropna() < 0).all(axis=None)
    assert (table["zstd:level=3"] <= table["lz4"]).all()
    counts = open_recording("gcc").counts
    assert (rows["page_ins"] + rows["page_ins_avoided"] == counts["in"]).all()
    assert (rows["page_outs"] + rows["page_outs_avoided"] == counts["out"]).all()


def test_the_swap_device_alone_is_always_there(result: Result) -> None:
    device = result.ram[result.ram["frontend"] == "device"].sort_values("ram")
    assert set(result.density["ram"]) <= set(device["ram"])
    assert device["ram"].min() == GCC
    assert (device["pool_pages_peak"] == 0).all()
    assert (device["compressor"] == "none").all()
    assert device["page_outs"].iloc[-1] == 0
    assert "device" not in set(result.density["frontend"])


def test_timed_runs_tell_what_is_lost(tmp_path: Path) -> None:
    result = ran(ram="520M", timing=Timing())
    row = result.ram[result.ram["frontend"] == "zram"].iloc[0]
    total = result.latency.query("part == 'total' and operation == 'page-in' and frontend == 'zram'").iloc[0]
    assert row["time_lost_s"] >= total["count"] * total["mean_us"] / 1e6
    assert 0 < row["time_lost_share"] < 1
    assert row["slowdown"] > 0.9
    loaded = Result.load(result.save(tmp_path / "out"))
    assert loaded.ram.equals(result.ram)


def test_several_programs_share_a_machine() -> None:
    alone = ran(traces=("gcc", "redis"), limit="440M")
    both = ran(traces=("gcc", "redis"), limit="760M", together=True)
    (row,) = both.ram[both.ram["frontend"] == "zram"].to_dict("records")
    assert row["trace"] == "gcc+redis"
    counts = [open_recording(name).counts for name in ("gcc", "redis")]
    assert row["page_ins"] == sum(one["in"] for one in counts), "440M + 320M: as they were recorded"
    more = ran(traces=("gcc", "redis"), limit="880M", together=True).ram
    rows = alone.ram[alone.ram["frontend"] == "zram"]
    apart = rows["page_ins"].sum()
    assert more.loc[more["frontend"] == "zram", "page_ins"].iloc[0] < row["page_ins"]
    assert apart < row["page_ins"], "redis alone has 440M there"


def test_a_recording_that_shared_its_ram_tells_its_limit_over_time() -> None:
    """With the limit falling as the pool grew, the same machine is the open replay, and a larger one is not."""
    pages = 200
    sizes = Sizes.given([2048] * pages)
    kinds, slots = [OUT] * pages + [IN] * pages, [*range(pages)] * 2
    events = Events.of(kinds, slots, [*range(pages)] + [-1] * pages, range(2 * pages))
    allocator, held = make_allocator("zsmalloc"), []
    for size in sizes.size.tolist():
        held.append(allocator.pages)  # the limit follows the pool
        allocator.alloc(size)
    ram = 1000
    limit = [(ram - pool) * 4096 for pool in held + [allocator.pages] * pages]
    memory = pd.DataFrame({"time_ns": range(2 * pages), "limit": limit})
    source = {"ram": ram * 4096, "limits": {"min": min(limit)}}
    trace = Trace.from_arrays("shared", events, None, {GIVEN: sizes}, source=source, memory=memory)
    same, more = (ran(traces=(trace,), ram=(ram + extra) * 4096, frontends=("raw",)).ram for extra in (0, 20))
    same, more = (rows[rows["frontend"] == "raw"].iloc[0] for rows in (same, more))
    assert (same["page_outs"], same["page_ins"], same["page_ins_avoided"]) == (pages, pages, 0)
    assert 20 <= more["page_ins_avoided"] <= 40
