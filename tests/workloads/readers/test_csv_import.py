from __future__ import annotations

import gzip
import lzma
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trace_kit
import zstandard

from sim import import_trace
from workloads import TraceError, import_csv, verify

HEADER = "ts_ns,kind,pid,slot,page\n"
ROWS = "0,out,7,1,0\n5,out,7,2,1\n9,out0,8,3,-1\n9,in,7,1,-1\n9,free,7,1,\n12,compact,0,0,-1\n"
PAGES = np.random.default_rng(0).integers(0, 256, (3, 64), np.uint8).tobytes()
PACK: dict[str, Callable[[bytes], bytes]] = {
    **{"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress, ".xz": lzma.compress}
}


def put(folder: Path, text: str | bytes = HEADER + ROWS, pages: bytes = PAGES, suffix: str = "") -> tuple[Path, Path]:
    data = text.encode() if isinstance(text, str) else text
    events, contents = folder / f"events.csv{suffix}", folder / f"pages.bin{suffix}"
    events.write_bytes(PACK[suffix](data))
    contents.write_bytes(PACK[suffix](pages))
    return events, contents


@pytest.mark.parametrize("suffix", PACK)
def test_imports_plain_gzip_and_zstd(tmp_path: Path, suffix: str) -> None:
    seen: list[tuple[int, int]] = []
    files = put(tmp_path, suffix=suffix)
    trace = import_csv(*files, tmp_path / "t.cswap", "n", 64, lambda done, total: seen.append((done, total)))
    trace_kit.check(trace)
    verify(tmp_path / "t.cswap")
    assert trace.name == "n"
    events = trace_kit.all_events(trace)
    assert events.kind.tolist() == [0, 0, 0, 1, 2, 3]
    assert events.slot.tolist() == [1, 2, 3, 1, 1, 0]
    assert events.page.tolist() == [0, 1, 3, -1, -1, -1]
    assert events.columns()["time_ns"].tolist() == [0, 5, 9, 9, 9, 12]
    assert events.columns()["task"].tolist() == [7, 7, 8, 7, 7, 0]
    assert not trace.page_array(3, 4).any(), "the all-zero page was added"
    events_bytes, pages_bytes = (f.stat().st_size for f in files)
    assert seen[-1] == (events_bytes + pages_bytes,) * 2


@pytest.mark.parametrize(
    "text",
    [
        (HEADER + ROWS).replace("\n", "\r\n"),
        HEADER + ROWS + "\n  \n\n",
        (HEADER + ROWS).rstrip("\n"),
        "\ufeff" + HEADER + ROWS,
        "more,page,slot,pid,kind,ts_ns\n,0,1,7,out,0\nx,1,2,7,out,5\n,,3,8,out0,9\n,,1,7,in,9\n,,1,7,free,9\n,,0,0,compact,12\n",
    ],
    ids=["crlf", "blank end", "no last newline", "byte order mark", "other columns"],
)
def test_dialects(tmp_path: Path, text: str) -> None:
    want = import_csv(*put(tmp_path), tmp_path / "want.cswap", page_size=64)
    assert import_csv(*put(tmp_path, text), tmp_path / "t.cswap", page_size=64).digest == want.digest


def test_header_only_is_an_empty_trace(tmp_path: Path) -> None:
    trace = import_csv(*put(tmp_path, HEADER), tmp_path / "t.cswap", page_size=64)
    assert (trace.n_events, trace.unique_pages) == (0, 3)
    verify(tmp_path / "t.cswap")


def test_a_zero_page_in_the_file_is_the_zero_page(tmp_path: Path) -> None:
    trace = import_csv(*put(tmp_path, pages=PAGES[:64] + bytes(64) + PAGES[:64]), tmp_path / "t.cswap", page_size=64)
    assert trace.unique_pages == 2
    assert trace_kit.all_events(trace).page.tolist() == [0, 1, 1, -1, -1, -1]


BAD_ROWS = {
    "5,swap,7,1,0": "kind 'swap' is unknown; use one of out, in, free, compact, lost, out0",
    "5,,7,1,0": "kind '' is unknown",
    "5,out,7,1,3": "page 3 does not exist; the file of pages has 3",
    "5,out,7,1,-1": "page -1 does not exist",
    "5,out,7,1,": "page is empty; give the number of its page",
    "x,out,7,1,0": "ts_ns 'x' is not a number of type int64; give a whole number",
    "5.5,out,7,1,0": "ts_ns '5.5' is not a number",
    "5,out,99999999999,1,0": "pid '99999999999' is not a number of type int32",
    "5,out,7,99999999999999999999,0": "slot '99999999999999999999' is not a number",
    "5,out,7,1,zero": "page 'zero' is not a number",
    "5,out,,1,0": "pid is empty",
    "5,out,7,-2,0": "slot is negative",
    "5,out,7,1": "has 4 columns, the header 5",
    "5,out,7,1,0,0": "has 6 columns, the header 5",
    "": "ts_ns is empty",
    "4,in,7,1,-1": "ts_ns is before that of the line above; sort the events by time",
}


@pytest.mark.parametrize("row", BAD_ROWS)
@pytest.mark.parametrize("before", [1, 200_000])
def test_bad_rows_are_named_by_line(tmp_path: Path, row: str, before: int) -> None:
    """Near the top, and beyond the first block that is read."""
    text = HEADER + "5,free,123456789,123456789,-1\n" * before + row + "\n6,out,7,2,1\n"
    with pytest.raises(TraceError) as caught:
        import_csv(*put(tmp_path, text), tmp_path / "t.cswap", page_size=64)
    place = f"{tmp_path / 'events.csv'}: line {before + 2}: {BAD_ROWS[row]}"
    assert str(caught.value).startswith(place)
    assert "\n" not in str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["events.csv", "pages.bin"], "nothing is left"


def cut(data: bytes) -> bytes:
    return data[:-5]


@pytest.mark.parametrize(
    ("which", "suffix", "change", "message"),
    [
        (
            "events",
            "",
            lambda d: d.replace(b"kind", b"what"),
            "events.csv: line 1: has no column kind; the header is",
        ),
        ("events", "", lambda d: b"\n", "events.csv: line 1: there is no header"),
        ("events", "", lambda d: b"", "events.csv: file: is empty"),
        ("events", "", lambda d: d + b"12,\xff,7,1,0\n", "events.csv: line 8: is not UTF-8 text"),
        ("events", ".gz", cut, "events.csv.gz: after 0 decompressed bytes: cannot be read (Truncated"),
        ("events", ".zst", cut, "events.csv.zst: after 0 decompressed bytes: cannot be read (Truncated"),
        ("pages", "", cut, "pages.bin: page 2: has 59 of 64 bytes; give whole pages"),
        ("pages", ".gz", cut, "pages.bin.gz: after"),
        ("pages", ".zst", cut, "pages.bin.zst: after"),
        (
            "pages",
            ".zst",
            lambda d: b"no zstd at all",
            "pages.bin.zst: after 0 decompressed bytes: cannot be read",
        ),
        ("pages", "", None, "pages.bin: file: is missing"),
        ("events", "", None, "events.csv: file: is missing"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, which: str, suffix: str, change: object, message: str) -> None:
    events, pages = put(tmp_path, suffix=suffix)
    bad = events if which == "events" else pages
    if callable(change):
        bad.write_bytes(change(bad.read_bytes()))
    else:
        bad.unlink()
    with pytest.raises(TraceError) as caught:
        import_csv(events, pages, tmp_path / "t.cswap", page_size=64)
    assert str(caught.value).startswith(f"{tmp_path}/{message}")
    assert "\n" not in str(caught.value)
    assert not [p for p in tmp_path.iterdir() if p not in (events, pages)], "nothing is left"


@pytest.mark.parametrize("bad", range(6))
def test_what_stands_above_a_bad_line_is_kept(tmp_path: Path, bad: int) -> None:
    lines = ROWS.splitlines(keepends=True)
    (tmp_path / "e.csv").write_text(HEADER + "".join([*lines[:bad], "x,out,1,1,1\n", *lines[bad:]]))
    (tmp_path / "p.bin").write_bytes(PAGES)
    told = f"{tmp_path}/e.csv: line {bad + 2}: ts_ns 'x' is not a number"
    options = {"format": "csv", "pages": str(tmp_path / "p.bin"), "page_size": 64, "keep_going": True}
    if not bad:
        with pytest.raises(TraceError, match=re.escape(told)):
            import_trace(tmp_path / "e.csv", tmp_path / "t.cswap", **options)
        return
    trace = import_trace(tmp_path / "e.csv", tmp_path / "t.cswap", **options)
    assert trace.n_events == bad
    assert trace.source["lost"].startswith(told)
