"""The end of a recording: the last row of a live device, as a recorder notes it in its trace."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.errors import UserError
from sim.plugins import COMPRESSORS
from sim.sizing.sizing import size_pages
from sim.validate.ending import HELD, MAXIMA, TOLERANCE, compare_ending
from sim.validate.recording import read_expected, read_operations, read_pages
from workloads import Events, Trace, sample_slots, strip_trace
from workloads.host.mmstat import FIELDS
from workloads.traces.events import FREE, OUT

GOLDEN = Path(__file__).parents[2] / "golden" / "zram"
NOTHING = dict.fromkeys(FIELDS, 0)
ROW = 150  # not the last: the pool is large there


def unseen(position: int) -> None:
    """How far a file was read is not asked for."""


def recorded(**changes: object) -> Trace:
    """The golden operations up to a row of mm_stat, as a trace that says what the device said.

    Pages of zeros were written to that device, as no swap does since 6.12: other same-filled ones stand for them.
    """
    pages = read_pages(GOLDEN / "public.bin.zst", 4096, unseen).copy()
    pages[~pages.any(axis=1)] = 1
    events = read_operations(GOLDEN / "public.lz4.ops.gz", len(pages), unseen)
    done, row = read_expected(GOLDEN / "public.lz4.mmstat.csv", len(events))[ROW]
    source = {"algorithm": "lz4", "mm_stat": row._asdict(), "mm_stat_before": NOTHING, **changes}
    return Trace.from_arrays("golden", events[:done], pages, source=source)


def test_it_is_the_devices_own() -> None:
    ending = compare_ending(recorded(), chain=8)
    assert ending.simulated == ending.kernel
    assert ending.kernel.mem_used_total > 1_000_000
    assert ending.agrees
    assert [row["deviation"] for row in ending.rows()] == [0] * len(FIELDS)


def test_what_is_off_is_told() -> None:
    ending = compare_ending(recorded(), chain=4)
    assert not ending.agrees
    assert ending.deviation("mem_used_total") < -0.005
    kernel = compare_ending(recorded(), chain=8).kernel
    for share, agrees in ((0.004, True), (0.006, False)):
        said = kernel._replace(orig_data_size=round(kernel.orig_data_size / (1 + share)))._asdict()
        assert compare_ending(recorded(mm_stat=said), chain=8).agrees is agrees


def test_the_swap_header_lies_in_the_pool_too() -> None:
    """A device that was swapped on holds its header; a trace has the page-outs only."""
    pages = np.random.default_rng(0).integers(0, 256, (3, 4096), np.uint8)
    events = Events.of([OUT] * 3, [1, 2, 3], range(3))
    header = {**NOTHING, "orig_data_size": 4096, "compr_data_size": 64, "mem_used_total": 20480}
    source = {"algorithm": "lzo-rle", "mm_stat": header, "mm_stat_before": header}
    simulated = compare_ending(Trace.from_arrays("t", events, pages, source=source), chain=8).simulated
    assert simulated.orig_data_size == 4 * 4096
    assert simulated.compr_data_size == 64 + 3 * 4096
    assert simulated.mem_used_total == header["mem_used_total"] + 3 * 4096


def test_it_needs_no_contents(tmp_path: Path) -> None:
    trace = recorded()
    stripped = strip_trace(
        trace, tmp_path / "s.cswap", {"lz4": size_pages(trace, COMPRESSORS.make("lz4"))}, keep_source=True
    )
    assert compare_ending(stripped, chain=8).rows() == compare_ending(trace, chain=8).rows()


def with_others(device: dict[str, int], pages: int, decided: dict[str, int] | None = None, **add: int) -> Trace:
    """The golden recording on a device that says more of itself."""
    said = {key: value + add.get(key, 0) for key, value in device.items()}
    return recorded(mm_stat=said, pages_of_others=pages, decided=decided or {})


def test_pages_of_others_are_allowed_for_and_nothing_else() -> None:
    device = compare_ending(recorded(), chain=8).kernel._asdict()
    whole = 40 * 4096
    ending = compare_ending(with_others(device, 40, orig_data_size=whole, compr_data_size=whole), chain=8)
    assert ending.agrees
    assert (ending.deviation("orig_data_size"), ending.others.orig_data_size) == (0, whole)
    assert not compare_ending(with_others(device, 0, orig_data_size=whole), chain=8).agrees
    share = 0.006 * device["orig_data_size"]
    for more, agrees in ((whole, True), (whole + share, False), (-share, False)):
        trace = with_others(device, 40, orig_data_size=round(more))
        assert compare_ending(trace, chain=8).agrees is agrees, more
    memory = compare_ending(with_others(device, 1), chain=8).others.mem_used_total
    assert memory == (1 + 8) * 4096, "its own, and a zspage that it may have begun"


def test_others_that_have_gone_may_have_left_gaps() -> None:
    """And nothing else: what lies on the device is as if they had never been there."""
    device = compare_ending(recorded(), chain=8).kernel._asdict()
    gaps = 12 * 4096
    assert gaps > TOLERANCE * device["mem_used_total"]
    assert not compare_ending(with_others(device, 0, mem_used_total=gaps), chain=8).agrees
    passed = {"page-outs of nobody known": 40, "page-outs of others": 5}
    ending = compare_ending(with_others(device, 0, passed, mem_used_total=gaps), chain=8)
    assert ending.agrees
    assert (ending.others.orig_data_size, ending.others.mem_used_total) == (0, (45 + 45 * 8) * 4096)
    assert ending.blurred == ("mem_used_total",), "so much may be theirs that little is told of it"
    for field in ("orig_data_size", "compr_data_size"):
        more = {field: round(0.006 * device[field])}
        assert not compare_ending(with_others(device, 0, passed, **more), chain=8).agrees, field


def test_what_lay_there_before_besides_the_header_is_others() -> None:
    device = compare_ending(recorded(), chain=8).kernel._asdict()
    before = NOTHING | {"orig_data_size": 3 * 4096, "compr_data_size": 8272, "mem_used_total": 5 * 4096}
    said = device | {field: device[field] + before[field] for field in HELD}
    ending = compare_ending(recorded(mm_stat=said, mm_stat_before=before), chain=8)
    assert ending.agrees
    assert ending.simulated.compr_data_size == device["compr_data_size"], "none of it is simulated"
    assert ending.others.orig_data_size == 3 * 4096
    assert ending.left == device["orig_data_size"] // 4096


def given_back(pages: int = 0, **changes: object) -> Trace:
    """300 pages that do not compress go out; of them `pages` stay. The device had been used, and says so."""
    contents = np.random.default_rng(0).integers(0, 256, (300, 4096), np.uint8)
    freed = 300 - pages
    kinds, slots = [OUT] * 300 + [FREE] * freed, [*range(1, 301), *range(1, freed + 1)]
    events = Events.of(kinds, slots, [*range(300), *[-1] * freed])
    size = pages * 4096
    before = {**NOTHING, "mem_used_max": 8192, "huge_pages_since": 2}
    end = {"orig_data_size": size, "compr_data_size": size, "mem_used_total": size, "huge_pages": pages}
    said = NOTHING | end | {"mem_used_max": 300 * 4096, "huge_pages_since": 302}
    source = {"algorithm": "lzo-rle", "mm_stat": said, "mm_stat_before": before, **changes}
    return Trace.from_arrays("t", events, contents, source=source)


def test_of_a_program_that_gave_everything_back_the_maxima_are_held() -> None:
    ending = compare_ending(given_back(), chain=8)
    assert (ending.left, ending.held, ending.agrees) == (0, MAXIMA, True)
    assert ending.simulated == ending.kernel
    said = ending.kernel._asdict()
    others = {"orig_data_size": 8 * 4096, "compr_data_size": 17724, "mem_used_total": 35 * 4096}
    ending = compare_ending(given_back(mm_stat=said | others, pages_of_others=8), chain=8)
    assert (ending.left, ending.held, ending.agrees) == (0, MAXIMA, True)
    for field, value in (("mem_used_max", 310 * 4096), ("mem_used_max", 290 * 4096), ("huge_pages_since", 305)):
        assert not compare_ending(given_back(mm_stat=said | {field: value}), chain=8).agrees, field
    passed = given_back(mm_stat=said | {"huge_pages_since": 305}, decided={"page-outs of others": 3})
    assert compare_ending(passed, chain=8).agrees


def test_what_either_side_holds_is_left() -> None:
    """A simulation that lost the pages, or a device that did, is not taken for a program that gave them back."""
    ending = compare_ending(given_back(250), chain=8)
    assert (ending.left, ending.held, ending.agrees) == (250, HELD, True)
    said = ending.kernel._asdict()
    ending = compare_ending(given_back(mm_stat=said), chain=8)
    assert (ending.left, ending.held, ending.agrees) == (250, HELD, False)
    ending = compare_ending(given_back(250, mm_stat=said | {"orig_data_size": 0}), chain=8)
    assert (ending.left, ending.held, ending.agrees) == (250, HELD, False)


def test_a_trace_without_events_is_the_device_before() -> None:
    before = {**NOTHING, "orig_data_size": 4096, "compr_data_size": 69, "mem_used_total": 20480, "mem_used_max": 24576}
    source = {"algorithm": "lz4", "mm_stat": before, "mm_stat_before": before}
    empty = Trace.from_arrays("t", Events.of([], [], []), np.empty((0, 4096), np.uint8), source=source)
    ending = compare_ending(empty, chain=8)
    assert ending.simulated == ending.kernel
    assert ending.agrees


def test_a_sample_has_no_ending() -> None:
    with pytest.raises(UserError, match="golden: a sample has no ending of its own; give the whole recording"):
        compare_ending(sample_slots(recorded(), 0.5, seed=0))


@pytest.mark.parametrize("changes", [{"mm_stat": None}, {"mm_stat_before": {"orig_data_size": 1}}, {"mm_stat": [1]}])
def test_a_trace_that_says_nothing(changes: dict[str, object]) -> None:
    with pytest.raises(UserError, match="does not say what mm_stat was at its end"):
        compare_ending(recorded(**changes))
