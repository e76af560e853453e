"""Page faults and reclaim measured in a process whose pages are swapped to zram, page by page.

The process is alone in a memory cgroup of its own, on one CPU. A page goes out by a call of MADV_PAGEOUT for it alone,
less what the call takes for a page that is out already; it comes back by a first touch, which is a major fault. zram is
synchronous: a fault on a page with one reference reads it into a new page of the process, past the swap cache and
without readahead, and frees the slot and its object (do_swap_page in mm/memory.c).

As in `sim.validate.live_latency`, caches are emptied before each batch, a few pages bring the code back, and the
compressor in user space has its turns. So have same-filled pages: they take the same way without codec and object.
"""

from __future__ import annotations

import copy
import ctypes
import mmap
import os
import resource
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sim.calibration.codecs import flusher
from sim.calibration.compiled.loops import Times, time_page_outs, time_touches
from sim.calibration.device import WARMING
from sim.compressors.base import BATCH, Compressor, Pages
from sim.compressors.exact import clock_reading_ns
from sim.validate.live_latency import FEW
from workloads.errors import HostError
from workloads.host.zram import PAGE

FLOORS = 8 * BATCH
"""Same-filled pages."""
Rows = npt.NDArray[np.int64]


class Swapped(NamedTuple):
    """One repeat over n pages, followed by FLOORS same-filled ones; times int64 in ns.

    `out` and `into`: rows in the order in which they were paged out and in. `slot` int64[n + FLOORS] on the swap
    device; `write` and `read` int64[n + FLOORS] by row, of page-outs and page-ins; `valid` bool[n + FLOORS], whether a
    page went out when it was told to and came back by a major fault. `size` int32[n], `compress`, `decompress`
    int64[n]: the codec's in user space.
    """

    out: Rows
    into: Rows
    slot: Rows
    write: Times
    read: Times
    valid: npt.NDArray[np.bool_]
    size: npt.NDArray[np.int32]
    compress: Times
    decompress: Times


class Memory:
    """Anonymous memory of this process, of ordinary pages that can be swapped to swap device `number`."""

    def __init__(self, pages: Pages, number: int) -> None:
        self._memory = mmap.mmap(-1, pages.nbytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        if hasattr(mmap, "MADV_NOHUGEPAGE"):
            self._memory.madvise(mmap.MADV_NOHUGEPAGE)
        self.pages: Pages = np.frombuffer(self._memory, np.uint8).reshape(pages.shape)
        self.pages[:] = pages
        self._number = number

    def page_out(self, rows: Rows) -> Times:
        """Page these out; ns of each, less those of a call for a page that is out. Raises HostError."""
        first, again = np.zeros((2, len(rows)), np.int64)
        for ns in (first, again):
            failed = time_page_outs(self.pages, rows, ns)
            if failed >= 0:
                raise HostError("MADV_PAGEOUT is refused; a kernel from 5.4 on is needed")
        times: Times = np.maximum(first - int(np.median(again)), 1)
        return times

    def touch(self, rows: Rows) -> tuple[Times, int]:
        """Read these; ns of each, and how many major faults there were."""
        times = np.zeros(len(rows), np.int64)
        before = resource.getrusage(resource.RUSAGE_THREAD).ru_majflt
        time_touches(self.pages, rows, times)
        faults = resource.getrusage(resource.RUSAGE_THREAD).ru_majflt - before
        return np.maximum(times - clock_reading_ns(), 1), faults

    def slots(self, rows: Rows) -> Rows:
        """The slots on the swap device in which they are, -1 for those that are not."""
        first = ctypes.addressof(ctypes.c_char.from_buffer(self._memory)) // PAGE
        fd = os.open("/proc/self/pagemap", os.O_RDONLY)
        try:
            words = np.frombuffer(os.pread(fd, 8 * len(self.pages), 8 * first), np.uint64)[rows]
        finally:
            os.close(fd)
        there = (words >> np.uint64(62) & np.uint64(1) == 1) & (words & np.uint64(31) == self._number)
        return np.where(there, (words >> np.uint64(5) & np.uint64((1 << 50) - 1)).astype(np.int64), -1)


def measure_swapped(pages: Pages, compressor: Compressor, number: int, seed: int) -> Swapped:
    """Measure in this process, which is in its cgroup and on its CPU; `number` is that of the swap device.

    Raises HostError for a page that comes back wrong.
    """
    rng, n = np.random.default_rng(seed), len(pages)
    words = rng.permutation(np.arange(1, FLOORS + 1, dtype=np.uint64))
    filled = np.repeat(words, PAGE // 8).view(np.uint8).reshape(FLOORS, PAGE)
    content = np.concatenate((pages, filled, pages[rng.integers(0, n, WARMING)]))
    memory = Memory(content, number)
    scratch = np.arange(n + FLOORS, n + FLOORS + WARMING)
    slot = np.full(n + FLOORS, -1)
    write, read = np.zeros((2, n + FLOORS), np.int64)
    valid = np.zeros(n + FLOORS, np.bool_)
    size = np.zeros(n, np.int32)
    compress, decompress = np.zeros((2, n), np.int64)
    flush, other = flusher(), copy.copy(compressor)
    warming = content[scratch]

    memory.page_out(scratch)  # compiled before it is timed
    memory.touch(scratch)
    compressor.measure(content[:BATCH])
    out, into = _batches(rng.permutation(n), n), _batches(rng.permutation(n), n)
    turns = iter(np.array_split(rng.permutation(n), len(out) + len(into)))  # beside page-outs, then page-ins

    def codec() -> None:
        rows = next(turns)
        for few in np.split(rows, range(FEW, len(rows), FEW)):
            size[few], compress[few], decompress[few] = compressor.measure(content[few], lambda: other.measure(warming))

    for rows in out:
        memory.touch(scratch)
        flush()
        memory.page_out(scratch)
        write[rows] = memory.page_out(rows)
        slot[rows] = memory.slots(rows)
        codec()
    for rows in into:
        memory.page_out(scratch)
        there = memory.slots(rows) >= 0
        flush()
        memory.touch(scratch)
        read[rows], faults = memory.touch(rows)
        valid[rows] = there & (faults == there.sum())
        if not np.array_equal(memory.pages[rows], content[rows]):
            raise HostError("a page came back from swap with other contents than it had")
        codec()
    return Swapped(np.concatenate(out), np.concatenate(into), slot, write, read, valid, size, compress, decompress)


def _batches(order: Rows, n: int) -> list[Rows]:
    """These rows in batches, with batches of the same-filled rows, from n on, spread among them."""
    batches = np.split(order, range(BATCH, n, BATCH))
    floors = np.split(np.arange(n, n + FLOORS), range(BATCH, FLOORS, BATCH))
    for i, rows in enumerate(floors):
        batches.insert(i + (i + 1) * (len(batches) - i) // (len(floors) + 1), rows)
    return batches
