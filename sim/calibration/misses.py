"""How long a load takes that waits for a line of memory out of the caches, by the memory from which it comes.

The way from a slot to its object leads through such lines, each of which holds the address of the next. What a line
costs depends on where it is (which cache, whose memory) and on how much there is of its kind: the more pages they lie
in, the more often the address itself must be looked up first. So all caches are emptied, as a program that uses much
memory leaves them, and then lines of memory of several sizes are followed in random order.
"""

from __future__ import annotations

import mmap
from functools import cache

import numpy as np
from numpy.typing import NDArray

from sim.calibration.codecs import flusher
from sim.calibration.compiled.loops import time_loads
from sim.calibration.samples import Samples
from sim.compressors.exact import clock_reading_ns
from sim.timing.lines import FOOTPRINTS

LINE = 64
HUGE = 2 << 20
ROUNDS = 12  # emptied caches for each size
READINGS = 8  # of the clock after each
TOGETHER = 4  # loads between two readings of the clock, which takes as long as some of them


def measure_misses(samples: Samples, rng: np.random.Generator) -> None:
    """Add loads from memory of each of FOOTPRINTS; `number` is its size in KiB."""
    flush, times = flusher(), np.zeros(READINGS, np.int64)
    for size in FOOTPRINTS.values():
        ring = _ring(size)
        at = int(rng.integers(0, size // LINE))
        for _ in range(ROUNDS):
            flush()
            at = time_loads(ring, at, TOGETHER, times)
            samples.add("miss", np.maximum(times - clock_reading_ns(), 0) / TOGETHER, size >> 10, state="cold")


@cache
def _ring(size: int) -> NDArray[np.int64]:
    """Lines of so many bytes; the first word of each is the number of the next, in one random ring of all.

    In huge pages where there are any, as the kernel maps its own memory.
    """
    memory = mmap.mmap(-1, size + HUGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        memory.madvise(mmap.MADV_HUGEPAGE)
    words = np.frombuffer(memory, np.int64)
    begin = -words.ctypes.data % HUGE // words.itemsize
    ring = words[begin : begin + size // words.itemsize]
    order = np.random.default_rng(size).permutation(size // LINE)
    ring[order * (LINE // words.itemsize)] = np.roll(order, -1)
    return ring
