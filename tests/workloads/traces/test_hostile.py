"""Strangers' traces: whatever they lie about is told in one line, before anything is made of it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trace_kit
from forging import Columns, forge, rewrite_header, rewrite_sizes

from workloads import (
    OUT,
    Events,
    Sizes,
    Trace,
    TraceError,
    import_csv,
    limits,
    open_trace,
    sample_slots,
    save_trace,
    verify,
    write_trace,
)
from workloads.traces import parquet

HOSTILE = Path(__file__).parents[2] / "golden" / "hostile"

GOLDEN = {
    "b-pages-bomb": "pages.parquet: rows: the file's 1,213 bytes become more than 67,108,864",
    "events-byte-flipped": "events.parquet: counts: is {'out': 0",
    "h-js-counts-inf": "trace.json: JSON: cannot be read",
    "h-js-name-esc": r"trace.json: fields: missing or wrong: name '\x1b]0;pwned",
    "h-js-name-markup": "trace.json: fields: missing or wrong: name '[/nope]",
    "h-js-span_ns-str": "trace.json: fields: missing or wrong: Expected `array | null`, got `str` - at `$.span_ns`",
    "h-pq-lz4-size-string": "lz4.parquet: columns: are size string",
    "kind-255": "events.parquet: row 0: kind 255 is unknown",
    "nslots-0": "events.parquet: row 0: slot 0 does not exist; there are 0 slots",
    "p-name-dotdot": "trace.json: fields: missing or wrong: name '../outside'",
    "p-pagesdigest-dotdot": "trace.json: fields: missing or wrong: Expected `str` matching regex",
    "p-stripped-sizes-swapped": "sizes: digest: of lz4 are not those that trace.json was written for",
    "page-beyond-near": "events.parquet: row 100: page 100 does not exist",
    "page-beyond-notimes": "events.parquet: row 1: page 2149633 does not exist",
    "page-negative": "events.parquet: row 1: page -1000003 does not exist",
    "size-huge": "lz4.parquet: sizes of lz4: row 0: size 2147483647 is over 4419",
    "slot-beyond-1": "events.parquet: row 500: slot 500 does not exist; there are 500 slots",
    "slot-huge": "events.parquet: row 0: slot 4611686018427387904 does not exist",
    "slot-negative": "events.parquet: row 0: slot -1009 is negative",
    "time-dec": "trace.json: fields: missing or wrong: span_ns [999000000000, 0]",
    "time-huge": "trace.json: fields: missing or wrong: span_ns [-4611686018427387904, 4611686018427387904]",
}


def told(folder: Path, check: Callable[[Path], object]) -> str:
    """The one line of a refusal."""
    with pytest.raises(TraceError) as caught:
        check(folder)
    message = str(caught.value)
    assert message.isprintable()
    assert message.count(": ") >= 2
    assert "; " in message
    return message


def used(folder: Path) -> None:
    """What every command does at least: open, read all events, read the sizes."""
    trace = open_trace(folder)
    for codec in trace.sizes_codecs():
        trace.sizes(codec)
    for _ in trace.batches(100):
        pass


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_lies_are_told(name: str) -> None:
    folder = HOSTILE / f"{name}.cswap"
    assert GOLDEN[name] in told(folder, used)
    assert GOLDEN[name] in told(folder, verify)


@pytest.fixture
def honest(tmp_path: Path) -> Path:
    """A trace of all kinds of events without contents."""
    events = trace_kit.all_events(trace_kit.tiny())
    sizes = Sizes.given([10, 20, 30, 64, 50])
    sizes.meta["codec"] = "lz4"
    save_trace(Trace.from_arrays("t", events, None, {"lz4": sizes}, page_size=64), tmp_path / "honest.cswap")
    verify(tmp_path / "honest.cswap")
    return tmp_path / "honest.cswap"


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """The same with contents."""
    save_trace(trace_kit.tiny(), tmp_path / "full.cswap")
    return tmp_path / "full.cswap"


def test_forging_without_a_lie_is_right(honest: Path, full: Path, tmp_path: Path) -> None:
    verify(forge(honest, tmp_path / "a", events=lambda c: None, sizes={"lz4": lambda c: None}))
    verify(forge(full, tmp_path / "b", events=lambda c: None, pages=lambda c: None))


def put(column: str, row: int, value: int) -> Callable[[Columns], None]:
    def change(columns: Columns) -> None:
        columns[column][row] = value

    return change


def retyped(column: str, dtype: Any) -> Callable[[Columns], Columns]:
    return lambda columns: {n: c.astype(dtype) if n == column else c for n, c in columns.items()}


EVENTS: dict[str, tuple[Callable[[Columns], Any], dict[str, Any], str]] = {
    "kind": (put("kind", 3, 5), {}, "row 3: kind 5 is unknown"),
    "kind, fewer said": (put("kind", 8, 2), {"counts": {"out": 5, "lost": 4}}, "counts: is"),
    "slot over n_slots": (put("slot", 4, 9), {"n_slots": 9}, "row 4: slot 9 does not exist; there are 9 slots"),
    "slot under n_slots": (put("slot", 4, 4), {"n_slots": 6}, "n_slots: is 5, trace.json says 6"),
    "largest slot": (put("slot", 4, 2**63 - 1), {"n_slots": 5}, "row 4: slot 9223372036854775807 does not exist"),
    "compaction with a slot": (put("slot", 6, 2), {}, "row 6: a compaction has slot 2"),
    "page of another": (put("page", 1, 5), {}, "row 1: page 5 does not exist"),
    "page on a free": (put("page", 7, 0), {}, "row 7: page 0 on a row that is not a page-out"),
    "page -2 on a page-in": (put("page", 5, -2), {}, "row 5: page -2 on a row that is not a page-out"),
    "no page": (put("page", 0, -1), {}, "row 0: page -1 does not exist"),
    "time back": (put("time_ns", 4, 25), {}, "row 4: time 25 ns is before the row above"),
    "time early": (put("time_ns", 0, -9), {"span_ns": [0, 80]}, "span_ns: is (-9, 80), trace.json says (0, 80)"),
    "time late": (put("time_ns", 8, 99), {"span_ns": [0, 80]}, "span_ns: is (0, 99), trace.json says (0, 80)"),
    "span": (put("time_ns", 0, -(2**63)), {"span_ns": [0, 80]}, "2**63 ns after the first"),
    "type of kind": (retyped("kind", np.int64), {}, "columns: are kind int64"),
    "type of slot": (retyped("slot", np.float64), {}, "columns: are kind uint8, slot double"),
    "no task": (lambda c: {n: c[n] for n in c if n != "task"}, {"tasks": True}, "columns: are"),
    "a row more": (lambda c: {n: np.append(c[n], c[n][-1]) for n in c}, {"counts": {"out": 9}}, "rows: are 10"),
    "digest": (put("slot", 8, 3), {"digests": {"events": "0" * 32, "pages": "0" * 32}}, "digest"),
}


@pytest.mark.parametrize("name", EVENTS)
def test_events_are_held_against_the_header(honest: Path, tmp_path: Path, name: str) -> None:
    change, header, message = EVENTS[name]
    forged = forge(honest, tmp_path / "forged.cswap", events=change, header=header)
    assert message in told(forged, used)
    assert message in told(forged, verify)


def test_a_wrong_digest_is_told_after_the_last_event(honest: Path, tmp_path: Path) -> None:
    """By every first complete reading; one that was broken off counts for nothing."""

    def lie(body: dict[str, Any]) -> None:
        body["digests"]["events"] = "0" * 32

    trace = open_trace(forge(honest, tmp_path / "forged.cswap", header=lie))
    next(trace.batches(3))
    for _ in range(2):
        batches = trace.batches(4)
        assert sum(len(next(batches)) for _ in range(3)) == 9
        with pytest.raises(TraceError, match=r"events_digest: is .*, trace\.json says 0000"):
            next(batches)


HEADERS: dict[str, dict[str, Any]] = {
    "name": {"name": 5},
    "empty name": {"name": ""},
    "long name": {"name": "a" * 256},
    "path": {"name": "/etc/passwd"},
    "up": {"name": ".."},
    "escape": {"name": "\x9b31m"},
    "reversed": {"name": "gpj\u202e.exe"},
    "line break": {"name": "a\nb"},
    "page_size": {"page_size": 4097},
    "no page_size": {"page_size": 0},
    "huge page_size": {"page_size": 1 << 40},
    "page_size of text": {"page_size": "4096"},
    "page_size of a truth": {"page_size": True},
    "source": {"source": []},
    "negative count": {"counts": {"out": -1}},
    "absurd count": {"counts": {"out": 1 << 60}},
    "unknown kind": {"counts": {"out": 5, "stolen": 1}},
    "count of a float": {"counts": {"out": 5.5}},
    "n_slots": {"n_slots": -1},
    "unique_pages": {"unique_pages": 1 << 31},
    "content": {"content": "no"},
    "span of one": {"span_ns": [0]},
    "span of floats": {"span_ns": [0, 1.5]},
    "span beyond": {"span_ns": [0, 1 << 63]},
    "digests": {"digests": None},
    "upper case": {"digests": {"events": "A" * 32, "pages": "0" * 32}},
    "line after a digest": {"digests": {"events": "0" * 32 + "\n", "pages": "0" * 32}},
    "files": {"files": {"../../etc/passwd": "0" * 32}},
    "file of sizes": {"files": {"sizes/../../x.parquet": "0" * 32}},
    "unknown key": {"colour": "blue"},
    "deep source": {"source": {"a": json.loads("[" * 20 + "]" * 20)}},
    "long source": {"source": {"a": "b" * (1 << 20)}},
    "infinite source": {"source": {"a": float("inf")}},
    "half a pair": {"source": {"a": "\ud800"}},
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_are_typed_and_bounded(honest: Path, name: str) -> None:
    rewrite_header(honest, HEADERS[name])
    assert told(honest, open_trace).startswith(f"{honest}/trace.json: ")


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 200_000, "[]", "7", "", '{"format": 1', "\ufeff{}"])
def test_headers_that_are_none(honest: Path, text: str) -> None:
    (honest / "trace.json").write_text(text)
    assert told(honest, open_trace).startswith(f"{honest}/trace.json: ")


SIZES: dict[str, tuple[Callable[[Columns], Any], dict[str, str], str]] = {
    "negative": (put("size", 2, -1), {}, "row 2: size -1 is negative"),
    "over a page": (put("size", 2, 140), {}, "row 2: size 140 is over 135"),
    "negative time": (put("compress_ns", 0, -5), {}, "row 0: compress_ns -5 is negative"),
    "endless time": (put("decompress_ns", 4, 1 << 62), {}, "row 4: decompress_ns 4611686018427387904 is over"),
    "fewer": (lambda c: {n: c[n][:3] for n in c}, {}, "has 3 rows for 5 unique pages"),
    "type": (retyped("size", np.int64), {}, "columns: are size int64"),
    "another codec": (lambda c: None, {"codec": "zstd:level=3"}, "are of codec 'zstd:level=3'"),
    "escape": (lambda c: None, {"codec": "\x1b[2J"}, r"are of codec '\x1b[2J'"),
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_held_against_the_header(honest: Path, name: str) -> None:
    change, meta, message = SIZES[name]
    rewrite_sizes(honest / "sizes" / "lz4.parquet", change, meta)
    assert message in told(honest, used)
    assert message in told(honest, verify)


def test_other_sizes_than_the_traces_own(honest: Path) -> None:
    """Right in themselves, but not those that the header's digest stands for; nor may more be put beside them."""
    good = (honest / "sizes" / "lz4.parquet").read_bytes()
    rewrite_sizes(honest / "sizes" / "lz4.parquet", put("size", 0, 11))
    assert "sizes: digest: of lz4 are not those" in told(honest, used)
    (honest / "sizes" / "lz4.parquet").write_bytes(good)
    used(honest)
    shutil.copy(honest / "sizes" / "lz4.parquet", honest / "sizes" / "zstd.parquet")
    rewrite_sizes(honest / "sizes" / "zstd.parquet", lambda c: None, {"codec": "zstd"})
    assert "sizes: digest: of lz4, zstd are not those" in told(honest, used)


def test_only_regular_files_are_opened(full: Path, tmp_path: Path) -> None:
    """A pipe would hang, a link leads outside, a device may do anything."""
    (full / "sizes").mkdir()

    def link(path: Path) -> None:
        path.symlink_to("/etc/hostname")

    odd: list[Callable[[Path], object]] = [os.mkfifo, os.mkdir, link]
    for name in ("trace.json", "events.parquet", "pages.parquet", "sizes/lz4.parquet"):
        for number, make in enumerate(odd):
            forged = tmp_path / f"{name.replace('/', '-')}-{number}.cswap"
            shutil.copytree(full, forged)
            (forged / name).unlink(missing_ok=True)
            make(forged / name)
            assert "regular file" in told(forged, used)
    shutil.rmtree(full / "sizes")
    (full / "sizes").symlink_to(tmp_path)
    assert "sizes: folder: is a symbolic link" in told(full, used)


def test_the_folder_itself_may_be_a_link(full: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(full)
    used(tmp_path / "link")


def test_row_groups_are_bounded(full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forged(rows: int) -> Path:
        return forge(full, tmp_path / f"{rows}.cswap", pages=lambda c: None, row_group_size=rows)

    monkeypatch.setattr(parquet, "GROUP_BYTES", 4 * 64)
    monkeypatch.setattr(parquet, "GROUPS", 3)
    used(forged(2))
    assert "pages.parquet: row group 0: has 5 rows, at most 4" in told(forged(5), used)
    assert "pages.parquet: row groups: are 5, at most 3" in told(forged(1), used)


def test_a_small_file_stays_small_unless_it_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FREE", 1 << 20)
    n = 100_000
    events = Events.of(np.zeros(n, np.uint8), np.zeros(n, np.int64), np.zeros(n, np.int32), np.zeros(n, np.int64))
    folder = tmp_path / "t.cswap"
    with limits.lifted(1 << 30):
        save_trace(Trace.from_arrays("t", events, None, {"given": Sizes.given([9])}), folder)
    assert "allow more, as with --max-bytes 64G" in told(folder, used)
    with limits.lifted(1 << 30):
        used(folder)


def test_the_writer_refuses_what_a_reader_would(tmp_path: Path) -> None:
    trace = trace_kit.tiny()
    for name in ("a\x1bb.cswap", "\u202e.cswap", ".cswap"):
        assert "cannot be a trace's" in told(tmp_path / name, lambda path: save_trace(trace, path))
    bad = Trace.from_arrays("..", trace_kit.all_events(trace), trace.page_array(0, 5), page_size=64)
    assert "name: '..' cannot be a trace's" in told(tmp_path / "x", lambda path: save_trace(bad, path))
    bad = Trace.from_arrays("t", Events.of([], [], []), np.zeros((1, 100), np.uint8), page_size=100)
    assert "page_size 100 is not a power of two" in told(tmp_path / "x", lambda path: save_trace(bad, path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("kind", 256, "row 1: 256 does not fit uint8"),
        ("page", 2**32, "row 1: 4294967296 does not fit int32"),
        ("slot", 8.5, "row 1: 8.5 does not fit int64"),
        ("slot", 2**70, "row 1: 1180591620717411303424 does not fit uint64"),
        ("slot", None, "row 1: is missing"),
        ("task", "7x", "column task: is text, not int32"),
    ],
)
def test_no_column_loses_a_value(column: str, value: object, message: str) -> None:
    columns: dict[str, Any] = {name: [0, 0] for name in ("kind", "slot", "page", "time_ns", "task")}
    columns[column] = [0, value]
    with pytest.raises(TraceError, match="give whole numbers") as caught:
        Events.of(**columns)
    assert message in str(caught.value)
    columns[column] = [0.0, 1.0]
    assert Events.of(**columns).columns()[column].tolist() == [0, 1]


def test_slots_without_end_are_refused_where_a_device_is_made(tmp_path: Path) -> None:
    """The trace is right, and a sample of it numbers the slots anew."""
    events = Events.of([OUT, OUT], [0, 2**62], [0, 0])
    trace = write_trace(tmp_path / "t.cswap", 4096, {}, [events], None, sizes={"given": Sizes.given([9])})
    used(tmp_path / "t.cswap")
    sample = sample_slots(trace, 1.0, 0)
    assert sample.n_slots == 2
    original = sample.original_slots()
    assert original is not None
    assert original.tolist() == [0, 2**62]


def test_bombs_of_text_are_refused(tmp_path: Path) -> None:
    pages = HOSTILE / "one.bin"
    with pytest.raises(TraceError, match=r"bomb-blank.*--max-bytes 64G"):
        import_csv(HOSTILE / "bomb-blank.csv.zst", pages, tmp_path / "x.cswap")
    with pytest.raises(TraceError, match=r"bomb-noline.*line 2: is longer than 65,536 bytes"):
        import_csv(HOSTILE / "bomb-noline.csv.zst", pages, tmp_path / "x.cswap")
    assert not (tmp_path / "x.cswap").exists()
