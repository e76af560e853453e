"""Times of this host's memory, clock and processor, measured in user space."""

from __future__ import annotations

import mmap
import platform

import numpy as np
from numpy.typing import NDArray

from sim.calibration.compiled.loops import time_chain, time_comparisons, time_copies, time_first_touches
from sim.calibration.misses import measure_misses
from sim.calibration.samples import Samples
from sim.compressors.base import empty_call_ns
from sim.compressors.exact import clock_reading_ns

COPY_SIZES = (64, 128, 256, 512, 1024, 1536, 2048, 3072, 4096)
"""Bytes; objects are of all these sizes."""
POOL = 256 << 20
"""Bytes of memory that copies go to: many times what the caches hold."""
TOGETHER = 8
"""Copies between two readings of the clock, because a small one takes no longer than a reading."""
LINKS = 10_000
LINK_CYCLES = 4
"""A multiplication (3 cycles) and an addition (1) on every x86-64 processor since 2008."""


def measure_memory(samples: Samples, rng: np.random.Generator, count: int = 500) -> None:
    """Add `count` samples each of the clock, copies, comparisons, page faults, and the clock rate."""
    samples.add("clock", np.array([clock_reading_ns()]), part="two readings")
    samples.add("clock", np.array([empty_call_ns()]), part="call from Python that does nothing")
    _clock_rate(samples)
    pool = np.ones(POOL, np.uint8)
    _copies(samples, pool, rng, count)
    measure_misses(samples, rng)
    _comparisons(samples, pool, rng, count)
    _faults(samples, count)


def _net(times: NDArray[np.int64]) -> NDArray[np.int64]:
    net: NDArray[np.int64] = np.maximum(times - clock_reading_ns(), 0)
    return net


def _clock_rate(samples: Samples) -> None:
    if platform.machine() != "x86_64":
        return
    times = np.zeros(50, np.int64)
    time_chain(LINKS, times)
    samples.add("chain", times, LINKS * LINK_CYCLES, part="cycles")


def _copies(samples: Samples, pool: NDArray[np.uint8], rng: np.random.Generator, count: int) -> None:
    """Between a buffer in use, as that of a compression stream is, and memory that was not touched just before: to it,
    from it, and within either of them.
    """
    buffer = np.ones(max(COPY_SIZES), np.uint8)
    there = np.zeros((count, TOGETHER), np.int64)
    n_pages = len(pool) // mmap.PAGESIZE
    for size in COPY_SIZES:
        for state in ("cold", "warm", "cold source", "cold both"):
            places, starts = rng.integers(0, n_pages, (2, count, TOGETHER)) * mmap.PAGESIZE
            if state == "warm":
                places[:] = np.arange(TOGETHER) * mmap.PAGESIZE
            times = np.zeros(count, np.int64)
            if state == "cold source":
                time_copies(buffer, there, pool, starts, size, times)
            elif state == "cold both":
                time_copies(pool, places, pool, starts, size, times)
            else:
                time_copies(pool, places, buffer, there, size, times)
            samples.add("copy", _net(times) / TOGETHER, size, state=state)


def _comparisons(samples: Samples, pool: NDArray[np.uint8], rng: np.random.Generator, count: int) -> None:
    words = pool.view(np.uint64).reshape(-1, mmap.PAGESIZE // 8)
    for state in ("cold", "warm"):
        rows = rng.permutation(len(words))[:count] if state == "cold" else np.zeros(count, np.int64)
        times = np.zeros(len(rows), np.int64)
        time_comparisons(words, rows, times)
        samples.add("compare", _net(times), mmap.PAGESIZE, part="same-filled page", state=state)


def _faults(samples: Samples, count: int) -> None:
    """A first write to anonymous pages: the trap, a page taken and cleared, and its mapping."""
    memory = mmap.mmap(-1, count * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_NOHUGEPAGE)
    times = np.zeros(count, np.int64)
    time_first_touches(np.frombuffer(memory, np.uint8).reshape(-1, mmap.PAGESIZE), times)
    samples.add("fault", _net(times), mmap.PAGESIZE, part="zero-filled page", state="cold")
