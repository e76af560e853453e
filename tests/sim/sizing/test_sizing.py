from __future__ import annotations

import stat
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import platformdirs
import pyarrow.parquet as pq
import pytest

import sim.sizing.sizing as sizing
from sim.compressors.base import Compressor, Measures, Pages
from sim.errors import UserError
from sim.plugins import COMPRESSORS
from sim.sizing.sizing import filled, size_pages
from workloads import Events, Sizes, Trace, TraceError, open_trace, save_trace, sizes_path, write_sizes
from workloads.traces.parquet import EVENTS_FILE, PAGES_FILE

FILES = ("trace.json", EVENTS_FILE, PAGES_FILE)
PAUSE_S = 0.05


class Counting(Compressor):
    """Its streams are the bytes 1, 2, ... that a page holds, and it counts the pages it is given."""

    name = "counting"
    release = "1"
    seen = 0

    @property
    def version(self) -> str:
        return self.release

    def compress(self, page: bytes | bytearray | memoryview) -> bytes:
        return bytes(sorted(set(page)))

    def decompress(self, data: bytes | bytearray | memoryview, size: int) -> bytes:
        raise NotImplementedError

    def measure(self, pages: Pages) -> Measures:
        Counting.seen += len(pages)
        sizes = np.array([len(self.compress(page.tobytes())) for page in pages], np.int32)
        return sizes, np.ones(len(pages), np.int64), np.ones(len(pages), np.int64)


@pytest.fixture(autouse=True)
def user_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name: str(tmp_path / "cache" / name))
    monkeypatch.setattr(Counting, "seen", 0)
    return tmp_path / "cache"


def in_memory(n: int = 5, seed: int = 0) -> Trace:
    """Page i holds i + 2 different bytes: 0 to i, and 255 as its last."""
    pages = np.zeros((n, 4096), np.uint8)
    for i in range(n):
        pages[i, 100 : 100 + i] = np.arange(1, i + 1)
        pages[i, -1] = 255 - seed
    events = Events.of(np.zeros(n), np.arange(n), np.arange(n))
    return Trace.from_arrays("pages", events, pages)


def on_disk(folder: Path, seed: int = 0) -> Trace:
    save_trace(in_memory(seed=seed), folder)
    return open_trace(folder)


def test_pages_are_sized_once_and_kept_in_the_users_cache(tmp_path: Path, user_cache: Path) -> None:
    first = size_pages(on_disk(tmp_path / "a.cswap"), Counting())
    assert first.size.tolist() == [2, 3, 4, 5, 6]
    assert first.meta["codec"] == "counting"
    again = size_pages(open_trace(tmp_path / "a.cswap"), Counting())
    assert again.digest() == first.digest()
    assert Counting.seen == 5
    assert {path.name for path in (tmp_path / "a.cswap").iterdir()} == {*FILES}
    made = [user_cache / "cswap", *(user_cache / "cswap").rglob("*")]
    assert [path for path in made if stat.S_IMODE(path.stat().st_mode) != (0o700 if path.is_dir() else 0o600)] == []


def test_a_trace_in_memory_is_not_kept(user_cache: Path) -> None:
    size_pages(in_memory(), Counting())
    size_pages(in_memory(), Counting())
    assert Counting.seen == 10
    assert not user_cache.exists()


def test_another_version_is_sized_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trace = on_disk(tmp_path / "a.cswap")
    size_pages(trace, Counting())
    monkeypatch.setattr(Counting, "release", "2")
    assert size_pages(trace, Counting()).meta["version"] == "2"
    assert Counting.seen == 10
    size_pages(trace, Counting())
    assert Counting.seen == 10


def test_an_edited_compressor_of_the_same_version_does_not_meet_yesterdays_sizes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = on_disk(tmp_path / "a.cswap")
    size_pages(trace, Counting())
    monkeypatch.setattr(Counting, "compress", lambda self, page: bytes(7))
    assert size_pages(trace, Counting()).size.tolist() == [7] * 5


@pytest.mark.parametrize("also", [False, True])
def test_a_trace_that_claims_anothers_digest_spoils_nothing(tmp_path: Path, also: bool) -> None:
    """With the digests of the decoded pages; or `also` with those of the file's bytes."""
    honest = on_disk(tmp_path / "a.cswap")
    liar = on_disk(tmp_path / "b.cswap", seed=1)
    files = {**liar.header.files, PAGES_FILE: honest.header.files[PAGES_FILE]} if also else liar.header.files
    replace(liar.header, pages_digest=honest.pages_digest, files=files).write(tmp_path / "b.cswap")
    with pytest.raises(TraceError, match=r"b\.cswap/pages\.parquet: .*; restore the file from a good copy"):
        size_pages(open_trace(tmp_path / "b.cswap"), Counting())
    assert Counting.seen == 0
    size_pages(honest, Counting())
    assert Counting.seen == 5


def test_pages_exchanged_after_they_were_sized_are_noticed(tmp_path: Path) -> None:
    honest = on_disk(tmp_path / "a.cswap")
    size_pages(honest, Counting())
    on_disk(tmp_path / "b.cswap", seed=1)
    (tmp_path / "b.cswap" / PAGES_FILE).replace(tmp_path / "a.cswap" / PAGES_FILE)
    with pytest.raises(TraceError, match=r"a\.cswap/pages\.parquet: bytes: were changed"):
        size_pages(open_trace(tmp_path / "a.cswap"), Counting())


def test_sizes_beside_contents_are_not_believed(tmp_path: Path) -> None:
    trace = on_disk(tmp_path / "a.cswap")
    meta = {"codec": "counting", "version": "1", "pages": trace.pages_digest}
    poisoned = replace(Sizes.given([16] * 5), meta=meta)
    write_sizes(sizes_path(tmp_path / "a.cswap", "counting"), poisoned)
    assert size_pages(trace, Counting()).size.tolist() == [2, 3, 4, 5, 6]
    assert size_pages(trace, Counting()).size.tolist() == [2, 3, 4, 5, 6]
    assert Counting.seen == 5


def test_pages_are_decoded_for_their_digest_once_for_all_codecs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size_pages(on_disk(tmp_path / "a.cswap"), Counting())
    monkeypatch.setattr("sim.sizing.contents.verify_pages", lambda *_: pytest.fail("decoded again"))
    size_pages(open_trace(tmp_path / "a.cswap"), COMPRESSORS.make("lz4"))


@pytest.mark.parametrize("spec", ["lz4", "lz4-lib"])  # in threads, in processes
def test_workers_find_what_one_core_finds(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizing, "CHUNK", 7)
    monkeypatch.setattr(sizing, "WORTHWHILE", 0.0)
    trace, calls = in_memory(100), list[int]()
    one = size_pages(trace, COMPRESSORS.make(spec), workers=1)
    two = size_pages(trace, COMPRESSORS.make(spec), workers=2, progress=lambda done, _: calls.append(done))
    assert np.array_equal(one.size, two.size)
    assert np.array_equal(one.same_filled, two.same_filled)
    assert np.array_equal(one.zero_filled, two.zero_filled)
    assert calls == [*range(7, 100, 7), 100]
    assert two.compress_ns.min() > 0
    assert [
        len(COMPRESSORS.make(spec).compress(page.tobytes())) for page in trace.page_array(0, 100)
    ] == two.size.tolist()


def test_without_contents_only_known_sizes_can_be_had() -> None:
    events = Events.of([0, 0], [0, 1], [0, 1])
    known = Sizes.given([10, 20])
    named = replace(known, meta={"codec": "zstd:level=9"})
    trace = Trace.from_arrays("secret", events, None, {"zstd:level=9": named})
    with pytest.raises(UserError, match="secret: no contents, and no sizes for lz4; use -c zstd:level=9"):
        size_pages(trace, COMPRESSORS.make("lz4"))
    assert size_pages(trace, COMPRESSORS.make("zstd:level=9")).size.tolist() == [10, 20]
    given = Trace.from_arrays("drawn", events, None, {"given": known})
    assert size_pages(given, COMPRESSORS.make("lz4")).size.tolist() == [10, 20]


def test_same_filled_is_one_word_of_eight_bytes_over_and_over() -> None:
    rng = np.random.default_rng(0)
    pages = np.repeat(rng.integers(1, 256, (40, 1, 8), np.uint8), 512, axis=1).reshape(40, 4096)
    pages[1::4, 2000] ^= 1  # in the middle
    pages[2::4, -1] ^= 1
    pages[3::4, 3] ^= 1
    pages[-4:] = 0
    pages[-1, 77] = 1
    expected = [page.tobytes() == page.tobytes()[:8] * 512 for page in pages]
    assert expected == [True, False, False, False] * 9 + [True, True, True, False]
    assert filled(pages).tolist() == [expected, [False] * 36 + [True, True, True, False]]


def test_without_contents_such_sizes_are_refused(tmp_path: Path) -> None:
    drawn = Trace.from_arrays("drawn", Events.of([0], [0], [0]), None, {"given": Sizes.given([10])})
    save_trace(drawn, tmp_path / "a.cswap")
    path = sizes_path(tmp_path / "a.cswap", "given")
    pq.write_table(pq.read_table(path).drop(["zero_filled"]), path)
    with pytest.raises(TraceError, match=r"given.parquet: columns: are .*generate a trace without contents again"):
        size_pages(open_trace(tmp_path / "a.cswap"), COMPRESSORS.make("lz4"))


class Interrupted(Compressor):
    """Something else runs for a while when one page is compressed for the first time."""

    name = "interrupted"
    version = "1"

    def __init__(self) -> None:
        self.pauses = [PAUSE_S]

    def compress(self, page: bytes | bytearray | memoryview) -> bytes:
        if page[0] == 1 and self.pauses:
            time.sleep(self.pauses.pop())
        return bytes(page)

    def decompress(self, data: bytes | bytearray | memoryview, size: int) -> bytes:
        return bytes(data)

    def __copy__(self) -> Interrupted:
        return self


def test_an_interruption_is_not_the_codecs_time() -> None:
    pages = np.arange(1, 101, dtype=np.uint8)[:, None].repeat(4096, axis=1)
    trace = Trace.from_arrays("t", Events.of(np.zeros(100), np.arange(100), np.arange(100)), pages)
    codec = Interrupted()
    sizes = size_pages(trace, codec, workers=1)
    assert not codec.pauses
    assert sizes.compress_ns[0] < PAUSE_S * 1e9
