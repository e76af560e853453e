"""The end of a recording: the last row of a live device, as a recorder notes it in its trace."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.compressors.registry import compressor
from sim.errors import UserError
from sim.sizing import size_pages
from sim.validate.ending import compare_ending
from sim.validate.recording import read_expected, read_operations, read_pages
from workloads import Events, Trace, strip_trace
from workloads.events import OUT
from workloads.host.mmstat import FIELDS

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
    stripped = strip_trace(trace, tmp_path / "s.cswap", {"lz4": size_pages(trace, compressor("lz4"))}, keep_source=True)
    assert compare_ending(stripped, chain=8).rows() == compare_ending(trace, chain=8).rows()


@pytest.mark.parametrize("changes", [{"mm_stat": None}, {"mm_stat_before": {"orig_data_size": 1}}, {"mm_stat": [1]}])
def test_a_trace_that_says_nothing(changes: dict[str, object]) -> None:
    with pytest.raises(UserError, match="does not say what mm_stat was at its end"):
        compare_ending(recorded(**changes))
