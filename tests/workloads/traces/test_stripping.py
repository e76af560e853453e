"""What is left of a trace without contents: nothing that tells them, all that replays."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import trace_kit

from workloads import OUT, Events, Sizes, Trace, TraceError, open_trace, save_trace, strip_trace, verify
from workloads.traces.pageindex import PageIndex
from workloads.traces.stripping import NUMBERS, TEXTS, safe_source

LONG = Path(__file__).parents[3] / "workloads" / "recordings"
SECRET = b"correct horse battery staple"
PLACES = {
    "program": "vault --password 'hunter2'",
    "command": ["curl", "https://alice:s3cret@intranet.example"],
    "host": "alices-laptop",
    "cwd": "/home/alice/merger-plans",
    "note": "recorded for Bob",
    "environment": {"TOKEN": "ghp_planted"},
    "kernel": "Linux 6.18.4-acme-internal",
    "algorithm": "lz4",
    "kind": "recording",
    "limit": 1 << 28,
    "mm_stat": {"orig_data_size": 4096, "path": "/srv/hidden"},
    "sample": {"share": 0.5, "of": {"digest": "0123456789abcdef0123456789abcdef", "out": 9}},
    "pin": 739154,
}
WORDS = (
    SECRET,
    *(b"hunter2", b"alice", b"intranet", b"s3cret", b"merger", b"Bob", b"TOKEN", b"ghp_planted", b"acme"),
    *(b"hidden", b"0123456789abcdef", b"739154", b"private"),
)


def planted(folder: Path) -> Trace:
    """A trace on disk that is full of secrets, in pages and in what is said of it."""
    rng = np.random.default_rng(5)
    pages = rng.integers(0, 256, (40, 4096), np.uint8)
    for row in range(40):
        at = int(rng.integers(0, 4096 - len(SECRET)))
        pages[row, at : at + len(SECRET)] = np.frombuffer(SECRET, np.uint8)
    page = np.arange(60) % 40
    events = Events.of([OUT] * 60, range(60), page, np.arange(60) * 7, [4711] * 60)
    sizes = Sizes.given(rng.integers(100, 4096, 40))
    # What the page digest is, whoever sizes the pages writes into the meta; the rest is a stranger's.
    trace = Trace.from_arrays("private-diary", events, pages, source=PLACES)
    sizes.meta.update(codec="lz4", version="1", host="x86_64", pages=trace.pages_digest, by="alice")
    return save_trace(Trace.from_arrays("private-diary", events, pages, {"lz4": sizes}, PLACES), folder)


def every_byte(folder: Path) -> bytes:
    """All files of a folder, as they are and decoded, with their names and the metadata of their schemas."""
    parts = []
    for path in sorted(folder.rglob("*")):
        parts.append(path.name.encode())
        if path.is_file():
            parts.append(path.read_bytes())
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            parts += [repr(table.schema.metadata).encode(), repr(table.schema).encode()]
            parts += [repr(column.to_pylist()).encode() for column in table.columns]
            buffers = [b for column in table.columns for chunk in column.chunks for b in chunk.buffers()]
            parts += [buffer.to_pybytes() for buffer in buffers if buffer is not None]
    return b"\n".join(parts)


def test_no_secret_remains(tmp_path: Path) -> None:
    trace = planted(tmp_path / "private.cswap")
    lz4 = trace.sizes("lz4")
    assert lz4 is not None
    before = every_byte(tmp_path / "private.cswap")
    assert all(word in before for word in WORDS), "the search finds what is there"

    stripped = strip_trace(trace, tmp_path / "shared.cswap", {"lz4": lz4})
    left = every_byte(tmp_path / "shared.cswap")
    assert [word for word in WORDS if word in left] == []
    pages = trace.page_array(0, 40)
    assert [row for row in range(40) for at in range(0, 4096, 512) if pages[row, at : at + 16].tobytes() in left] == []
    assert every_byte(tmp_path / "private.cswap") == before, "the original is as it was"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["private.cswap", "shared.cswap"]
    assert (stripped.name, stripped.content) == ("shared", False)


def test_no_digest_confirms_a_guess(tmp_path: Path) -> None:
    """Whoever knows all pages, or all but one, must not be able to compute anything that stands in the trace."""
    trace = planted(tmp_path / "private.cswap")
    lz4 = trace.sizes("lz4")
    assert lz4 is not None
    strip_trace(trace, tmp_path / "shared.cswap", {"lz4": lz4}, keep_source=True)
    left = every_byte(tmp_path / "shared.cswap")
    guesses = {trace.digest, trace.pages_digest}
    for page in trace.page_array(0, 40):
        index = PageIndex()
        index.add(page[np.newaxis])
        guesses |= {index.digest(), hashlib.blake2b(page, digest_size=16).hexdigest()}
    assert trace.pages_digest.encode() in every_byte(tmp_path / "private.cswap")
    assert [guess for guess in guesses if guess.encode() in left or bytes.fromhex(guess) in left] == []


def test_digests_depend_on_what_is_left_only(tmp_path: Path) -> None:
    """Traces that differ in contents alone are the same, byte for byte, once they are stripped."""
    events = trace_kit.all_events(trace_kit.tiny())
    sizes = {"lz4": Sizes.given(range(1, 6))}
    for seed in (1, 2):
        pages = np.random.default_rng(seed).integers(0, 256, (5, 64), np.uint8)
        trace = Trace.from_arrays("t", events, pages, page_size=64)
        (tmp_path / str(seed)).mkdir()
        strip_trace(trace, tmp_path / str(seed) / "t.cswap", sizes)
    assert every_byte(tmp_path / "1" / "t.cswap") == every_byte(tmp_path / "2" / "t.cswap")


def test_all_else_stays(tmp_path: Path) -> None:
    trace = planted(tmp_path / "private.cswap")
    lz4 = trace.sizes("lz4")
    assert lz4 is not None
    stripped = strip_trace(trace, tmp_path / "shared.cswap", {"lz4": lz4, "other": lz4})
    trace_kit.check(stripped)
    verify(tmp_path / "shared.cswap")
    assert trace_kit.same_events(trace_kit.all_events(stripped), trace_kit.all_events(trace))
    assert stripped.sizes_codecs() == ["lz4", "other"]
    kept = stripped.sizes("lz4")
    assert kept is not None
    assert all(np.array_equal(column, lz4.columns()[name]) for name, column in kept.columns().items())
    assert kept.meta == {"codec": "lz4", "version": "1", "host": "x86_64"}
    again = strip_trace(open_trace(tmp_path / "shared.cswap"), tmp_path / "again.cswap", {"lz4": kept})
    assert again.source == stripped.source
    whole = strip_trace(trace, tmp_path / "own.cswap", {"lz4": lz4}, keep_source=True)
    assert whole.source == json.loads(json.dumps(PLACES))


def test_what_is_kept_of_the_source() -> None:
    assert safe_source(PLACES) == {
        "kind": "recording",
        "algorithm": "lz4",
        "kernel": "Linux 6.18.4",
        "limit": 1 << 28,
        "mm_stat": {"orig_data_size": 4096},
        "sample": {"share": 0.5, "of": {"out": 9}},
    }
    assert safe_source({"kernel": "mine", "mm_stat": "text", "kind": ["list"], "sample": {"of": "x"}}) == {}


def test_refusals_leave_nothing(tmp_path: Path) -> None:
    tiny = trace_kit.tiny()
    sizes = {"lz4": Sizes.given(range(1, 6))}
    with pytest.raises(TraceError, match="size the pages first"):
        strip_trace(tiny, tmp_path / "x.cswap", {})
    with pytest.raises(TraceError, match="3 rows for 5 unique pages"):
        strip_trace(tiny, tmp_path / "x.cswap", {"a": Sizes.given([1] * 5), "b": Sizes.given([1] * 3)})
    assert list(tmp_path.iterdir()) == []
    strip_trace(tiny, tmp_path / "x.cswap", sizes)
    with pytest.raises(TraceError, match="exists; remove it"):
        strip_trace(tiny, tmp_path / "x.cswap", sizes)


class Canaries:
    """Texts, each of its own, of which none may be found again."""

    def __init__(self) -> None:
        self.count = 0

    def text(self) -> str:
        self.count += 1
        return f"canary{self.count:04}x"

    def fill(self, known: object, depth: int = 0) -> object:
        """Something in the shape of what is known, with texts in the place of all values, and keys of them beside."""
        if not isinstance(known, dict) or depth > 4:
            return self.text()
        filled = {key: self.fill(value, depth + 1) for key, value in known.items()}
        deeper = {self.text(): [self.text(), {self.text(): self.text()}], self.text(): len(filled)}
        return {**filled, **deeper, self.text(): {self.text(): 1.5}}


def test_no_text_at_any_depth_remains(tmp_path: Path) -> None:
    canaries = Canaries()
    for mixed in (False, True):
        source = canaries.fill({**dict.fromkeys(TEXTS), "kernel": None, **NUMBERS})
        assert isinstance(source, dict)
        if mixed:  # numbers where they belong, with keys of texts beside them, and a known text with more behind it
            source |= {"limit": 5, "mm_stat": {"orig_data_size": 1, canaries.text(): 2}, "kernel": "Linux 6.18-canary"}
            of = {"out": 7, canaries.text(): {canaries.text(): 3}}
            source |= {"sample": {"of": of, "seed": {canaries.text(): 1}}}
            source |= {"ended": "duration canary", "decided": {"frees by reuse": 4, "frees by canary": 4}}
        folder = tmp_path / f"canary-{mixed}.cswap"
        sizes = Sizes.given(range(1, 6))
        sizes.meta.update({"version": f"1 {canaries.text()}", "host": canaries.text(), "codec": "lz4"})
        sizes.meta[canaries.text()] = canaries.text()
        tiny = trace_kit.tiny()
        events = trace_kit.all_events(tiny)
        pages = tiny.page_array(0, 5)
        save_trace(Trace.from_arrays("canary", events, pages, {"lz4": sizes}, source, tiny.page_size), folder)
        assert every_byte(folder).count(b"canary") > 90, "the search finds what is there"
        strip_trace(open_trace(folder), tmp_path / f"x{mixed}.cswap", {"lz4": sizes})
        assert b"canary" not in every_byte(tmp_path / f"x{mixed}.cswap")
        kept = {
            "limit": 5,
            "mm_stat": {"orig_data_size": 1},
            "decided": {"frees by reuse": 4},
            "sample": {"of": {"out": 7}},
            "kernel": "Linux 6.18",
        }
        assert safe_source(source) == (kept if mixed else {})


def test_numbers_that_are_none_of_ours_go() -> None:
    assert safe_source({"limit": 1 << 70, "seconds": float("nan"), "peak": 7, "interval": float("inf")}) == {}


def test_all_that_recordings_say_in_their_own_words_stays() -> None:
    for trace in (LONG / "gcc.cswap", LONG / "pandas.cswap"):
        source = json.loads((trace / "trace.json").read_text())["source"]
        safe = safe_source(source)
        assert set(source) - set(safe) <= {"command", "began", "dropped", "fraction", "peak"}
        for key in ("mm_stat", "vmstat", "decided", "ended", "backend"):
            assert safe[key] == source[key]
