"""The anonymous memory of one's own processes, read through /proc without privilege.

Source: proc_pid_maps(5), proc_pid_pagemap(5), proc_pid_mem(5); Documentation/admin-guide/mm/pagemap.rst (6.18). With
Yama's ptrace_scope at 1, the usual setting, descendants may be read; at 2 and 3 nobody may.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Self

import numpy as np
import numpy.typing as npt

from workloads.host.pagemap import PAGE_IS_PRESENT, PAGE_IS_SWAPPED, entries

EXCLUSIVE, FILE = np.uint64(1 << 56), np.uint64(1 << 61)
HERE = np.uint64(3 << 62)  # present or swapped
CHUNK = 1024  # pages read at once


class ProcessMemory:
    """The memory of a process as it is now; opened anew for each snapshot, since an exec replaces it.

    Raises OSError when the process is gone or belongs to somebody else.
    """

    def __init__(self, pid: int, page_size: int) -> None:
        self._page_size = page_size
        self._pagemap = os.open(f"/proc/{pid}/pagemap", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            os.close(self._pagemap)
            raise
        self._pid = pid

    def anonymous(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """The anonymous pages, by page number, ascending; and which of them this process alone has mapped.

        Pages of files and of shared memory are none; a private copy of a file's page is one.
        """
        numbers, words = entries(self._pagemap, self._pid, self._page_size, PAGE_IS_PRESENT | PAGE_IS_SWAPPED)
        anonymous = (words & HERE != 0) & (words & FILE == 0)
        return numbers[anonymous], words[anonymous] & EXCLUSIVE != 0

    def read(self, numbers: npt.NDArray[np.int64]) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]]:
        """Yield the pages that can be read, some at a time: their numbers, and contents uint8[n, page size].

        Each is valid until the next. Runs of adjacent pages are read in one call.
        """
        buffer = np.empty((CHUNK, self._page_size), np.uint8)
        for start in range(0, len(numbers), CHUNK):
            chunk = numbers[start : start + CHUNK]
            good = np.zeros(len(chunk), np.bool_)
            breaks = np.flatnonzero(np.diff(chunk) != 1) + 1
            for first, stop in zip((0, *breaks.tolist()), (*breaks.tolist(), len(chunk)), strict=True):
                self._read_run(chunk, first, stop, buffer, good)
            pages = buffer[: len(chunk)]
            yield (chunk, pages) if good.all() else (chunk[good], pages[good])

    def _read_run(
        self,
        chunk: npt.NDArray[np.int64],
        first: int,
        stop: int,
        buffer: npt.NDArray[np.uint8],
        good: npt.NDArray[np.bool_],
    ) -> None:
        while first < stop:
            try:
                got = os.preadv(self._memory, [buffer[first:stop].data], int(chunk[first]) * self._page_size)
            except OSError:
                got = 0
            pages = got // self._page_size
            good[first : first + pages] = True
            first += pages + 1  # the one after cannot be read: unmapped meanwhile, or a device's

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._pagemap)
        os.close(self._memory)
