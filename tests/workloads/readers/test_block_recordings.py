"""Recordings of several tools at once: they tell the same requests."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from pathlib import Path

import pytest
from reading_kit import GOLDEN, Read, read, sniffed

from workloads.readers.blkparse import Blkparse
from workloads.readers.blockevents import BlockEvents
from workloads.readers.fio import Fio
from workloads.readers.trace_events import TraceEvents
from workloads.traces.events import FREE, IN, OUT

TOOLS: dict[str, type[BlockEvents]] = {
    "blkparse": Blkparse,
    "ftrace": TraceEvents,
    "trace-cmd": TraceEvents,
    "perf": TraceEvents,
}
END = "block_bio_queue: 253,0 RA 868648 + 16 [kswapd0]"


def rows(got: Read) -> list[tuple[int, int]]:
    return list(zip(got.kind.tolist(), got.slot.tolist(), strict=True))


def recording(name: str, tool: str) -> Read:
    file = GOLDEN / f"{name}-{tool}.txt.gz"
    assert sniffed(TOOLS[tool], file)
    got = read(TOOLS[tool](), file)
    assert not got.error
    return got


def pages_queued(name: str) -> Counter[str]:
    """Pages by the first of R, W, D, of what blkparse calls queued, counted here."""
    found = Counter[str]()
    for line in gzip.decompress((GOLDEN / f"{name}-blkparse.txt.gz").read_bytes()).decode().splitlines():
        fields = line.split()
        if fields[5:6] == ["Q"] and "+" in fields:
            found[fields[6].lstrip("F")[0]] += -(-int(fields[9]) // 8)
    return found


@pytest.mark.parametrize(
    ("name", "outs", "ins", "frees", "slots"), [("swap", 437, 134, 437, 469), ("loop", 207, 115, 11, 298)]
)
def test_four_tools_tell_the_same(name: str, outs: int, ins: int, frees: int, slots: int) -> None:
    want = recording(name, "blkparse")
    queued = pages_queued(name)
    assert (queued["W"], queued["R"]) == (outs, ins)
    assert [int((want.kind == kind).sum()) for kind in (OUT, IN, FREE)] == [outs, ins, frees]
    assert len(set(want.slot.tolist())) == slots
    for tool in TOOLS:
        assert rows(recording(name, tool)) == rows(want)


def test_requests_count_where_all_of_them_pass() -> None:
    """perf recorded 16 insertions into a scheduler's queue, and 83 issues to the device, which have what was queued."""
    got = recording("loop", "perf")
    assert got.facts["action"] == "block_rq_issue"
    assert got.facts["other_requests"] == 3  # flushes


def test_fio_logs_what_the_block_layer_queues() -> None:
    logged = [read(Fio(), GOLDEN / f"loop-fio-{job}.log") for job in ("mix", "trim")]
    every = Counter(row for got in logged for row in rows(got))
    assert every == Counter(row for row in rows(recording("loop", "blkparse")) if row[0] != FREE)


@pytest.mark.parametrize(
    "line",
    [
        f"<...>-68    (   68) [001] d..2.  1201.100231: {END}",
        f"Web Content-2 3-68    [001] d..2.  1201.100231: {END}",
        f"buffer:   kswapd0-68 [001]  1201.100231: {END}",
        f"a b 68/68 [001] 1201.100231000:          1 block:{END}",
        f"a b 68 1201.100231: block:{END}",
        f"a 68 [1] 1201.100231: {END}".replace("bio_queue: 253,0 RA", "rq_complete: 253,0 RA (28 00)"),
    ],
)
def test_other_prefixes(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.txt").write_text(f"{line}\n")
    assert sniffed(TraceEvents, tmp_path / "a.txt")
    got = read(TraceEvents(), tmp_path / "a.txt")
    assert rows(got) == [(IN, 108581), (IN, 108582)]
    assert got.task is not None
    assert set(got.task.tolist()) == {68}


def test_events_that_were_lost_are_counted(tmp_path: Path) -> None:
    head = "# tracer: nop\n#\n# entries-in-buffer/entries-written: 2/44   #P:2\n#\n"
    lost = "CPU:1 [LOST 7 EVENTS]\nCPU:0 [3 EVENTS DROPPED]\n"
    (tmp_path / "a.txt").write_text(f"{head} a-1 [000] 1.1: {END}\n{lost}")
    assert read(TraceEvents(), tmp_path / "a.txt").facts["lost_events"] == 52


def test_events_of_swap_tell_no_slots(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(
        "a-1 [000] 1.1: mm_vmscan_write_folio: page=000000 pfn=0x12 flags=RECLAIM_WB_ANON\n"
    )
    assert sniffed(TraceEvents, tmp_path / "a.txt")
    assert "tell no slots; record block:block_bio_queue" in read(TraceEvents(), tmp_path / "a.txt").error


@pytest.mark.parametrize(
    ("end", "error"),
    [
        ("Q   W 868648 + 8 [a]", ""),
        ("Q FWS [a]", ""),
        ("Q   R 36 (12 00 00 00 24 00) [a]", ""),
        ("Q   W 86x648 + 8 [a]", "line 2: .* is no whole event"),
        ("Q   W 8686", "line 2: .* is no whole event"),
        ("Q   W 8 + 80000000 [a]", "line 2: .* longer than any"),
        ("Q   W 36028797018963960 + 16 [a]", "line 2: .* ends behind"),
        ("Q   W 99999999999999999999 + 8 [a]", "line 2: .* out of range"),
    ],
)
def test_lines_of_blkparse(tmp_path: Path, end: str, error: str) -> None:
    begin = "253,0    1      465     0.023521173   116  "
    (tmp_path / "a.txt").write_text(f"{begin}Q   R 16 + 8 [a]\n{begin}{end}\n{begin}Q   R 24 + 8 [a]\n")
    got = read(Blkparse(), tmp_path / "a.txt")
    assert rows(got)[0] == (IN, 2)
    assert bool(got.error) == bool(error)
    assert re.search(error, got.error)
    assert (rows(got)[-1] == (IN, 3)) == (not error)
