"""Slots of a device read past the page cache, adjacent ones in one call."""

from __future__ import annotations

import itertools
import mmap
import os
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

BATCH = 512  # slots a call at most: two MiB


class SlotReader:
    """Reads slots of `page_size` bytes, each as a whole: a device stores and hands out pages one by one."""

    def __init__(self, device: Path, page_size: int) -> None:
        self._page_size = page_size
        self._fd = os.open(device, os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC)
        self._memory = mmap.mmap(-1, BATCH * page_size)  # at an address as direct I/O wants it
        self._bytes = memoryview(self._memory)
        self._pages = np.frombuffer(self._memory, np.uint8).reshape(BATCH, page_size)

    def read(
        self, slots: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Read some slots, which must ascend: contents uint8[n, page size]; when each was there, CLOCK_MONOTONIC ns;
        whether it holds anything but zeros (a free slot reads as zeros).
        """
        size = self._page_size
        content = np.empty((len(slots), size), np.uint8)
        done = np.empty(len(slots), np.int64)
        breaks = np.flatnonzero(np.diff(slots) != 1) + 1
        starts = [0, *breaks.tolist(), len(slots)] if len(slots) else []
        for first, stop in itertools.pairwise(starts):
            for at in range(first, stop, BATCH):
                n = min(BATCH, stop - at)
                got = os.preadv(self._fd, [self._bytes[: n * size]], int(slots[at]) * size)
                if got != n * size:
                    raise OSError(f"slot {slots[at]}: {got} of {n * size} bytes could be read")
                done[at : at + n] = time.monotonic_ns()
                content[at : at + n] = self._pages[:n]
        return content, done, np.asarray(content.view(np.uint64).any(axis=1), np.bool_)

    def close(self) -> None:
        """Close the device."""
        os.close(self._fd)
