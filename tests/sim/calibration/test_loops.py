"""The timed loops do what they time, compiled and as plain Python."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from sim.calibration.compiled.loops import (
    time_chain,
    time_comparisons,
    time_copies,
    time_first_touches,
    time_loads,
    time_page_outs,
    time_reads,
    time_touches,
    time_writes,
)
from sim.compressors.compiled.clock import time_nothing

ROOT = Path(__file__).parents[3]
PAGE = 4096


def numbers(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def test_writes_and_reads_move_pages(tmp_path: Path) -> None:
    pages = np.random.default_rng(1).integers(0, 256, (4, PAGE), np.uint8)
    times = numbers(0, 0, 0)
    fd = os.open(tmp_path / "slots", os.O_RDWR | os.O_CREAT)
    try:
        assert time_writes(fd, pages, numbers(3, 0, 2), numbers(0, 2, 1), times) == -1
        assert times.min() > 0
        held = np.frombuffer((tmp_path / "slots").read_bytes(), np.uint8).reshape(-1, PAGE)
        assert np.array_equal(held, pages[[3, 2, 0]])
        back = np.zeros((3, PAGE), np.uint8)
        assert time_reads(fd, back, numbers(2, 0, 1), numbers(0, 1, 2), times) == -1
        assert np.array_equal(back, pages[[2, 0, 3]])
        assert time_reads(fd, back, numbers(0, 1, 2), numbers(0, 3, 1), times) == 1, "behind the end"
    finally:
        os.close(fd)
    assert time_writes(fd, pages, numbers(0), numbers(0), times) == 0, "a closed file"
    assert time_reads(fd, back, numbers(0), numbers(0), times) == 0


def test_pages_keep_their_contents_when_told_to_go() -> None:
    memory = np.frombuffer(mmap.mmap(-1, 4 * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS), np.uint8)
    memory = memory.reshape(4, PAGE)
    memory[:, 0] = (1, 2, 4, 8)
    times = numbers(0, 0)
    assert time_page_outs(memory, numbers(3, 1), times) == -1
    assert times.min() > 0
    assert time_touches(memory, numbers(1, 3), times) == 10
    assert times.min() >= 0
    assert time_page_outs(memory.reshape(-1)[1:].reshape(1, -1), numbers(0), times[:1]) == 0, "not at a page"


def test_copies_go_where_they_should() -> None:
    source = np.arange(1, 101, dtype=np.uint8)
    target = np.zeros(1000, np.uint8)
    places, starts = np.array([[0, 300], [600, 900]]), np.array([[0, 1], [2, 40]])
    time_copies(target, places, source, starts, 60, times := numbers(0, 0))
    for place, start in zip(places.ravel(), starts.ravel(), strict=True):
        assert np.array_equal(target[place : place + 60], source[start : start + 60])
        target[place : place + 60] = 0
    assert not target.any()
    assert times.min() >= 0


def test_comparisons_find_the_pages_of_equal_words() -> None:
    words = np.ones((4, 512), np.uint64)
    words[1, 511] = 2
    words[2, 1] = 2
    assert time_comparisons(words, numbers(0, 1, 2, 3, 0), numbers(0, 0, 0, 0, 0)) == 3


def test_touches_write_to_each_page() -> None:
    memory = np.zeros((3, PAGE), np.uint8)
    time_first_touches(memory, numbers(0, 0, 0))
    assert memory[:, 0].tolist() == [1, 1, 1]
    assert memory.sum() == 3


def test_loads_follow_the_ring() -> None:
    ring = np.full(8 * 5, -1, np.int64)
    ring[::8] = (2, 3, 4, 0, 1)  # 0, 2, 4, 1, 3 and again
    assert time_loads(ring, 0, 3, times := numbers(0, 0)) == 2
    assert times.min() >= 0


def test_a_longer_chain_takes_longer() -> None:
    short, long, nothing = (np.zeros(20, np.int64) for _ in range(3))
    time_nothing(nothing)
    time_chain(1000, short)
    time_chain(50_000, long)
    assert nothing.min() >= 0
    assert np.median(nothing) < np.median(short) < np.median(long)


def test_as_plain_python() -> None:
    if os.environ.get("NUMBA_DISABLE_JIT") == "1":
        return
    plain = subprocess.run(
        [sys.executable, "-W", "ignore::RuntimeWarning", "-m", "pytest", "-p", "no:cacheprovider", __file__],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert plain.returncode == 0, plain.stdout
    assert "8 passed" in plain.stdout
