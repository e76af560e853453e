"""Codec times taken again: by new processes, kept whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import pytest

import sim.calibration.retake as retaking
from sim.calibration.retake import retake, times
from sim.errors import UserError
from sim.plugins import COMPRESSORS
from sim.sizing.sizing import size_pages
from sim.sizing.spread import Spread
from workloads import Events, Sizes, Trace, open_sample, open_trace, save_trace
from workloads.traces.sizes import sizes_path, write_sizes

LZ4, ZSTD = COMPRESSORS.make("lz4"), COMPRESSORS.make("zstd")


@pytest.fixture(autouse=True)
def user_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name: str(tmp_path / "cache" / name))


@pytest.fixture
def trace(tmp_path: Path) -> Trace:
    """Three pages, the last of which is paged out three times."""
    events = Events.of(np.zeros(5), np.arange(5), np.array([0, 1, 2, 2, 2]))
    save_trace(Trace.from_arrays("own", events, open_sample("gcc").page_array(0, 3)), tmp_path / "own.cswap")
    return open_trace(tmp_path / "own.cswap")


def processes(monkeypatch: pytest.MonkeyPatch, *answers: Any) -> None:
    """Processes that answer so, one after the other; exceptions are raised."""
    left = list(answers)

    def apart(work: Callable[..., Any], progress: Callable[[int], object]) -> Any:
        answer = left.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        progress(1)
        return np.array(answer)

    monkeypatch.setattr(retaking, "apart", apart)


ANSWERS = ([[[100, 10, 4000], [1, 2, 3]]], [[[300, 20, 5000], [1, 2, 5]]], [[[200, 30, 9000], [9, 2, 4]]])


def test_the_median_of_the_processes_is_kept_for_each_page(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    before = size_pages(trace, LZ4)
    assert Spread.of(before.meta) is None
    processes(monkeypatch, *ANSWERS)
    told: list[tuple[int, int]] = []
    (found,) = retake(trace, [before], [LZ4], 3, lambda done, total: told.append((done, total)))
    assert found.now.compress_ns.tolist() == [200, 20, 5000]
    assert found.now.decompress_ns.tolist() == [1, 2, 4]
    assert found.now.size.tolist() == before.size.tolist()
    assert found.spread == Spread(3, (4.0, 9.0), (0.003, 0.005)), "a page-out once, not a page"
    assert [medians[2] for medians in found.medians_us()] == [5.0, 0.004]
    assert told == [(1, 3), (2, 3), (3, 3)]
    again = size_pages(open_trace(str(trace.path)), LZ4)
    assert again.digest() == found.now.digest()
    assert Spread.of(again.meta) == found.spread


def test_until_all_are_there_the_old_ones_stay(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    before = size_pages(trace, LZ4)
    for wrong in (KeyboardInterrupt(), UserError("killed")):
        processes(monkeypatch, ANSWERS[0], wrong)
        with pytest.raises(type(wrong)):
            retake(trace, [before], [LZ4], 3)
        assert size_pages(trace, LZ4).digest() == before.digest()


def test_times_that_cannot_be_kept_are_an_error(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    before = size_pages(trace, LZ4)
    processes(monkeypatch, *ANSWERS)
    monkeypatch.setattr("sim.sizing.sizing.keep", lambda fields, arrays: None)
    with pytest.raises(UserError, match="lz4: the times could not be kept, so the old ones stay"):
        retake(trace, [before], [LZ4], 3)


def test_the_folder_gets_them_if_it_stores_the_same_sizes(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    assert trace.path
    before = size_pages(trace, LZ4)
    path = sizes_path(trace.path, "lz4")
    other = replace(before, size=before.size + 1)
    for stored, renewed in ((before, True), (other, False)):
        write_sizes(path, stored)
        processes(monkeypatch, *ANSWERS)
        retake(trace, [before], [LZ4], 3)
        found = open_trace(trace.path).sizes("lz4")
        assert found
        assert (found.compress_ns.tolist() == [200, 20, 5000]) == renewed
        assert (Spread.of(found.meta) is not None) == renewed


def test_new_processes_measure_every_page(trace: Trace) -> None:
    codecs = [LZ4, ZSTD]
    before = [size_pages(trace, codec) for codec in codecs]
    found = retake(trace, before, codecs, 2)
    assert [one.now.meta["codec"] for one in found] == ["lz4", "zstd:level=3"]
    for one in found:
        assert one.now.compress_ns.min() > 0
        assert one.now.decompress_ns.min() > 0
        assert one.spread.processes == 2


def test_chunk_by_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retaking, "CHUNK", 64)
    monkeypatch.setattr("os.sched_setaffinity", lambda process, cpus: None)
    pages = open_sample("gcc").page_array(0, 150)
    trace = Trace.from_arrays("chunks", Events.of(np.zeros(1), np.zeros(1), np.zeros(1)), pages)
    done: list[int] = []
    assert times(trace, [LZ4, ZSTD], 0, done.append).min() > 0
    assert done == [1, 2, 3]


def test_without_contents_or_pages() -> None:
    events = Events.of(np.zeros(1), np.zeros(1), np.zeros(1))
    bare = Trace.from_arrays("bare", events, None, {"lz4": Sizes.given([9])})
    with pytest.raises(UserError, match="bare: has no contents"):
        retake(bare, [], [LZ4], 1)
    empty = Trace.from_arrays("empty", events[:0], np.empty((0, 4096), np.uint8))
    with pytest.raises(UserError, match="empty: has no pages"):
        retake(empty, [], [LZ4], 1)
