"""Takes snapshots of a family of processes: which anonymous pages there are, with a digest of each one's contents."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import numpy.typing as npt

from workloads.host.process_memory import ProcessMemory
from workloads.recorder.snapshot.family import Family

PAGE_BITS = 36  # of a key: the number of a page in its process, of addresses up to 2**48
SEED = 2012


def task_of(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """The processes that pages belong to."""
    return (keys >> PAGE_BITS).astype(np.int32)


class Camera:
    """A page's key is its process and its number there, in this order; keys stay the same from snapshot to snapshot.

    `unreadable`: processes that could not be looked at, such as those that run as somebody else; `readable`: those that
    could.
    """

    def __init__(self, family: Family, page_size: int) -> None:
        self._family, self._page_size = family, page_size
        factors = np.random.default_rng(SEED).integers(0, 1 << 64, page_size // 8, dtype=np.uint64)
        self._factors = factors | np.uint64(1)  # odd: a change of any one word changes the digest
        self.readable: set[int] = set()
        self.unreadable: set[int] = set()

    def snapshot(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
        """All pages there are now: keys ascending, int64[n], and digests, uint64[n]."""
        parts = [(np.empty(0, np.int64), np.empty(0, np.uint64))]
        for pid in self._family.members():
            try:
                memory = ProcessMemory(pid, self._page_size)
            except PermissionError:
                self.unreadable.add(pid)
                continue
            except OSError:  # it has ended meanwhile
                continue
            self.readable.add(pid)
            with memory, suppress(OSError):
                parts += self._pages(pid, memory)
        keys, digests = zip(*parts, strict=True)
        return np.concatenate(keys), np.concatenate(digests)

    def contents(
        self, keys: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
        """What pages hold now, in the order given: uint8[n, page size], digests, and which of them could be read."""
        content = np.empty((len(keys), self._page_size), np.uint8)
        digests = np.zeros(len(keys), np.uint64)
        good = np.zeros(len(keys), np.bool_)
        order = np.argsort(keys)
        starts = np.flatnonzero(np.diff(task_of(keys[order]), prepend=-1))
        for rows in np.split(order, starts[1:]) if len(keys) else []:
            with suppress(OSError), ProcessMemory(int(task_of(keys[rows[:1]])[0]), self._page_size) as memory:
                numbers = keys[rows] & ((1 << PAGE_BITS) - 1)
                for read, pages in memory.read(numbers):
                    at = rows[np.searchsorted(numbers, read)]
                    content[at], digests[at], good[at] = pages, self._digest(pages), True
        return content, digests, good

    def _pages(self, pid: int, memory: ProcessMemory) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]]:
        parts = []
        numbers, exclusive = memory.anonymous()
        for read, pages in memory.read(numbers):
            digests = self._digest(pages)
            # A page of zeros that others have mapped too is the one that stands for all memory never written.
            there = exclusive[np.searchsorted(numbers, read)] | (digests != 0)
            parts.append((read[there] | pid << PAGE_BITS, digests[there]))
        return parts

    def _digest(self, pages: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
        return np.asarray(pages.view(np.uint64) @ self._factors, np.uint64)
