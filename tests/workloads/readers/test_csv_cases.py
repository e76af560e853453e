"""Events as people and pandas write them: right, or one line with the remedy."""

from __future__ import annotations

import json
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import trace_kit

from sim import Experiment, run
from workloads import GIVEN, Trace, TraceError, import_csv, import_pages, open_trace, verify

CASES = Path(__file__).parents[2] / "golden" / "cases"
RIGHT = {
    **{"pandas-nan": 2, "nopid": 1, "pandas-index": 2, "bom": 1, "headeronly": 0, "onlyfrees": 2, "dupfree": 5},
    "slot-u32max": 2,
    "slot-2-62": 1,
}


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    path = tmp_path / "pages.bin"
    np.random.default_rng(0).integers(0, 256, (4, 4096), np.uint8).tofile(path)
    return path


def imported(folder: Path, text: str, pages: Path | None = None) -> Trace:
    (folder / "e.csv").write_text(text)
    trace = import_csv(folder / "e.csv", pages, folder / "t.cswap")
    verify(folder / "t.cswap")
    trace_kit.check(trace)
    return trace


def refused(folder: Path, text: str, pages: Path | None = None) -> str:
    with pytest.raises(TraceError) as caught:
        imported(folder, text, pages)
    assert not (folder / "t.cswap").exists()
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{folder}/e.csv: ")


@pytest.mark.parametrize("name", RIGHT)
def test_small_inputs_have_their_events(name: str, pages: Path, tmp_path: Path) -> None:
    trace = imported(tmp_path, (CASES / f"{name}.csv").read_text(), pages)
    assert trace.n_events == RIGHT[name]
    assert ("task" in trace_kit.all_events(trace).columns()) == (name not in ("nopid", "headeronly"))


@pytest.mark.parametrize("column", ["ts", "time_s", "ts_ns"])
def test_float_seconds(column: str, pages: Path, tmp_path: Path) -> None:
    text = (CASES / "float-seconds.csv").read_text().replace("ts_ns", column)
    if column == "ts_ns":
        want = "line 2: ts_ns '0.000001' is not a number of type int64; give whole nanoseconds, or call the column"
        assert refused(tmp_path, text, pages).startswith(want)
        return
    events = trace_kit.all_events(imported(tmp_path, text, pages))
    assert events.columns()["time_ns"].tolist() == [1_000, 500_000_000]


def test_the_highest_slot_of_32_bits_is_a_slot_like_another(pages: Path, tmp_path: Path) -> None:
    trace = imported(tmp_path, (CASES / "slot-u32max.csv").read_text(), pages)
    original = trace.original_slots()
    assert original is not None
    assert original.tolist() == [2**32 - 1]
    experiment = Experiment(traces=(trace,), allocators=("zsmalloc",), compressors=("lz4",))
    run(experiment)  # compiled, sized
    tracemalloc.start()
    density = run(experiment).density
    assert tracemalloc.get_traced_memory()[1] < 20 << 20
    tracemalloc.stop()
    (tmp_path / "t.cswap").rename(tmp_path / "high.cswap")
    low = imported(tmp_path, (CASES / "slot-u32max.csv").read_text().replace(str(2**32 - 1), "0"), pages)
    same = run(Experiment(traces=(low,), allocators=("zsmalloc",), compressors=("lz4",))).density
    pd.testing.assert_frame_equal(density.drop(columns="trace"), same.drop(columns="trace"))


@pytest.mark.parametrize(
    ("times", "column", "want"),
    [
        (["0.1", "0.30000000000000004", "1e1"], "ts", [100_000_000, 300_000_000, 10_000_000_000]),
        (["1700000000.123456789", "1700000001"], "time_s", [1700000000123456789, 1700000001000000000]),
        (["-1.5", "0."], "time", [-1_500_000_000, 0]),
        (["1.5", "7"], "ts_us", [1_500, 7_000]),
        (["1.000001", "7"], "time_ms", [1_000_001, 7_000_000]),
        (["1", "+2"], "time_ns", [1, 2]),
        (["2024-01-01 00:00:00", "2024-01-01 00:00:02.5"], "ts", [1704067200000000000, 1704067202500000000]),
        (["2024-01-01T00:00:00Z", "2024-01-01T01:00:01+01:00"], "ts", [1704067200000000000, 1704067201000000000]),
    ],
)
def test_times(times: list[str], column: str, want: list[int], pages: Path, tmp_path: Path) -> None:
    text = f"{column},kind,slot,page\n" + "".join(f"{time},in,1,\n" for time in times)
    assert trace_kit.all_events(imported(tmp_path, text, pages)).columns()["time_ns"].tolist() == want


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "ts,kind,slot,page\nnoon,in,1,\n",
            "line 2: ts 'noon' is no time within 2**63 ns; give s, or dates of",
        ),
        ("ts,kind,slot,page\n1,in,1,\ninf,in,1,\n", "line 3: ts 'inf' is no time"),
        (
            "ts,kind,slot,page\n1700000000123456789,in,1,\n",
            "line 2: ts '1700000000123456789' is no time within 2**63 ns",
        ),
        ("ts,kind,slot,page\n1,in,1,\n0.5,in,1,\n", "line 3: ts is before that of the line above; sort the events"),
        ("ts,kind,slot,page\n1,in,1,\n,in,1,\n", "line 3: ts is empty; give s, or a date"),
        (
            "ts_ns,kind,slot,page\n0.0,in,1,\n1.0,in,1,\n",
            "line 2: ts_ns '0.0' is not a number of type int64; give",
        ),
        ("kind,slot,page\nin,8.5,\n", "line 2: slot '8.5' is not a number of type uint64; give a whole number"),
        ("kind,slot,page\nin,-1,\n", "line 2: slot is negative"),
        ("kind,slot,page\nin,-1.0,\nin,2.5,", "line 2: slot is negative"),
        (f"kind,slot,page\nin,{2**64},\n", f"line 2: slot '{2**64}' is not a number of type uint64"),
        ("kind,slot,page\nin,1.8446744073709552e+19,\n", "line 2: slot '1.8446744073709552e+19' is not a number"),
        ("kind,slot,page\nin,,\n", "line 2: slot is empty"),
        ("kind,slot,page\n256,1,0\n", "line 2: kind '256' is unknown; use one of out, in, free, compact, lost, out0"),
        (f"kind,slot,page\nout,1,{2**32}\n", "line 2: page 4294967296 does not exist; the file of pages has 4"),
        ("kind,slot,page\nout,1,0.5\n", "line 2: page '0.5' is not a number of type int64"),
        ("kind,slot,page,slot\nout,1,0,1\n", "line 1: has two columns slot; leave one out"),
        ("0,out,1,1,0\n", "line 1: has no column kind, slot, page; the header is ts_ns,kind,pid,slot,page"),
    ],
)
def test_what_cannot_be_right_is_told_by_line(text: str, message: str, pages: Path, tmp_path: Path) -> None:
    assert refused(tmp_path, text, pages).startswith(message)


@pytest.mark.parametrize(
    "text",
    [
        '"ts_ns","kind","pid","slot","page"\r\n"0","out","1","7","0"\r\n"5","in","1","7",""\r\n',
        '\ufeff,page,slot,note,kind,ts_ns,task\n0,0.0,7.0,"a, b",out,0,1.0\n1,NaN,7.0,,in,5,1.0\n',
        "ts_ns, kind, pid, slot, page\n0, out, 1, 7, 0\n5, in, 1, 7, nan\n",
        "time_ns,kind,pid,slot,page,size\n0,0,1,7,0,50\n5,1,1,7,<NA>,\n",
    ],
    ids=["quoted, crlf", "index, float, extra, order", "spaces", "codes"],
)
def test_dialects(text: str, pages: Path, tmp_path: Path) -> None:
    events = trace_kit.all_events(imported(tmp_path, text, pages))
    assert {name: column.tolist() for name, column in events.columns().items()} == {
        **{"kind": [0, 1], "slot": [7, 7], "page": [0, -1]},
        **{"time_ns": [0, 5], "task": [1, 1]},
    }


def test_a_frame_that_pandas_writes_is_what_it_reads(pages: Path, tmp_path: Path) -> None:
    frame = pd.DataFrame({"time_s": [0.0, 0.1, 0.25, 0.25], "kind": ["out", "in", "compact", "free"]})
    frame["slot"], frame["page"] = [2.0, 2.0, float("nan"), 2.0], [3.0, *[float("nan")] * 3]
    trace = imported(tmp_path, frame.to_csv(), pages)
    same = Trace.from_dataframe(frame, pages)
    assert trace_kit.same_events(trace_kit.all_events(trace), trace_kit.all_events(same))
    assert trace.digest == same.digest


def test_sizes_instead_of_contents(tmp_path: Path) -> None:
    trace = imported(tmp_path, "kind,slot,size\nout,5,1000\nout0,6,40\nin,5,\nout,7,4096.0\ncompact,,\n")
    assert (trace.content, trace.unique_pages, trace.counts["out"]) == (False, 3, 3)
    assert trace_kit.all_events(trace).page.tolist() == [0, 1, -1, 2, -1]
    sizes = trace.sizes(GIVEN)
    assert sizes is not None
    assert (sizes.size.tolist(), sizes.zero_filled.tolist()) == ([1000, 40, 4096], [False, True, False])
    row = run(Experiment(traces=(trace,), allocators=("zsmalloc",), frontends=("zram",))).density.iloc[0]
    assert (row["compressor"], row["stored"], row["same_filled"], row["huge"]) == (GIVEN, 1, 1, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind,slot\nout,1\n", "line 1: has no column size, and there are no pages; give the pages too (--pages), or"),
        ("kind,slot,size\nout,1,\n", "line 2: size is empty; give its bytes after compression"),
        ("kind,slot,size\nout,1,0\n", "line 2: size 0 is not one of a page of 4096 bytes; give 1 to 4419 bytes"),
        ("kind,slot,size\nout,1,9000\n", "line 2: size 9000 is not one of a page"),
        ("kind,slot,size\nout,1,9.5\n", "line 2: size '9.5' is not a number of type int32"),
    ],
)
def test_bad_sizes_are_told_by_line(text: str, message: str, tmp_path: Path) -> None:
    assert refused(tmp_path, text).startswith(message)


def test_pages_alone_are_paged_out_in_their_order(pages: Path, tmp_path: Path) -> None:
    pages.write_bytes(pages.read_bytes() + pages.read_bytes()[:4096])
    trace = import_pages(pages, tmp_path / "dump.cswap")
    verify(tmp_path / "dump.cswap")
    events = trace_kit.all_events(trace)
    assert (events.kind.tolist(), events.slot.tolist()) == ([0] * 5, [0, 1, 2, 3, 4])
    assert events.page.tolist() == [0, 1, 2, 3, 0]
    assert (trace.has_time, trace.source["kind"]) == (False, "dump")


def test_sparse_slots_are_numbered_in_their_order(pages: Path, tmp_path: Path) -> None:
    names = [2**64 - 1, 4096, 2**63, 4096, 0]
    rows = "".join(f"{kind},{slot},0\n" for kind, slot in zip(["out", "out", "out", "free", "in"], names, strict=True))
    trace = imported(tmp_path, f"kind,slot,page\n{rows}compact,77,\n", pages)
    assert trace_kit.all_events(trace).slot.tolist() == [3, 1, 2, 1, 0, 0]
    original = open_trace(tmp_path / "t.cswap").original_slots()
    assert original is not None
    assert original.tolist() == sorted(set(names))
    assert json.loads((tmp_path / "t.cswap" / "trace.json").read_text())["files"].keys() >= {"slots.parquet"}


def test_slots_of_a_device_stay_as_they_are(pages: Path, tmp_path: Path) -> None:
    rows = "".join(f"in,{slot},\n" for slot in range(0, 1_000_000, 15))
    trace = imported(tmp_path, f"kind,slot,page\n{rows}", pages)
    assert trace.original_slots() is None
    assert trace_kit.all_events(trace).slot[1] == 15
    assert re.fullmatch(r"[0-9a-f]{32}", trace.digest)
