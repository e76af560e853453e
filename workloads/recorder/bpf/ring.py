"""The consumer's side of what the programs share: the ring of events and the pool of pages.

Both are mapped and read with numpy, all that is there at once: a call of Python for each event would take longer
than the kernel needs to make it. Source: layout of a BPF ring buffer, Documentation/bpf/ringbuf.rst and
kernel/bpf/ringbuf.c (6.18): consumer position, producer position, then the data twice, so that it never wraps.
"""

from __future__ import annotations

import mmap

import numpy as np
import numpy.typing as npt

PAGE = mmap.PAGESIZE
RING_BYTES = 32 << 20
POOL_PAGES = 16384
OUT, IN, FREE, ZERO, FOREIGN, LOST = range(6)
_BUSY = np.uint32(1 << 31)  # reserved, not yet submitted
_DISCARDED = np.uint32(1 << 30)

# The ring's own header (8 bytes), then `struct event` of swap.bpf.c.
EVENT = np.dtype(
    [
        ("length", np.uint32),
        ("offset", np.uint32),
        ("time_ns", np.uint64),
        ("slot", np.uint32),
        ("pages", np.uint32),
        ("kind", np.uint32),
        ("task", np.uint32),
        ("taken", np.uint32),
        ("unused", np.uint32),
    ]
)


class Ring:
    """The events, in the order in which the kernel reserved their places."""

    def __init__(self, fd: int) -> None:
        self._consumer = np.frombuffer(mmap.mmap(fd, PAGE, offset=0), np.uint64, 1)
        shared = mmap.mmap(fd, PAGE + 2 * RING_BYTES, prot=mmap.PROT_READ, offset=PAGE)
        self._producer = np.frombuffer(shared, np.uint64, 1)
        self._data = np.frombuffer(shared, np.uint8, 2 * RING_BYTES, PAGE)

    def take(self) -> tuple[npt.NDArray[np.void], bool]:
        """Return a copy of all complete events, as EVENT[n], and whether these are all; give their room back."""
        done = int(self._consumer[0])
        n = (int(self._producer[0]) - done) // EVENT.itemsize
        start = done % RING_BYTES
        events = self._data[start : start + n * EVENT.itemsize].view(EVENT)
        busy = np.flatnonzero(events["length"] & _BUSY)
        events = events[: busy[0] if len(busy) else n].copy()
        self._consumer[0] = done + len(events) * EVENT.itemsize
        return events[events["length"] & _DISCARDED == 0], not len(busy)


class Pool:
    """The contents, in places used round and round."""

    def __init__(self, fd: int) -> None:
        shared = mmap.mmap(fd, POOL_PAGES * PAGE, prot=mmap.PROT_READ)
        self._pages = np.frombuffer(shared, np.uint8).reshape(POOL_PAGES, PAGE)

    def copies(self, taken: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint8]:
        """Return the pages of events, uint8[n, PAGE], by their `taken`."""
        return self._pages[taken % POOL_PAGES]
