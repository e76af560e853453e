"""Timed loops; `times` int64[n] in ns, the two readings of the clock included."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocators.compiled.borrow import borrow
from allocators.compiled.jit import entry
from sim.calibration.compiled.libc import copy_bytes, page_out_row, read_row, write_row
from sim.compressors.base import Pages
from sim.compressors.compiled.clock import clock_ns
from sim.compressors.compiled.memory import Bytes

Times = NDArray[np.int64]
Rows = NDArray[np.int64]


@entry
def time_chain(links: int, times: Times) -> int:
    """A chain of `links` squarings and additions, each of which needs the result of the one before."""
    value = np.uint64(88172645463325252)
    for i in range(len(times)):
        start = clock_ns()
        for _ in range(links):
            value = value * value + np.uint64(1442695040888963407)
        times[i] = clock_ns() - start
    return int(value >> np.uint64(63))  # used, so that it is computed


@entry
def time_loads(ring: Rows, at: int, links: int, times: Times) -> int:
    """Loads that wait for each other, `links` in one time: ring[8 at] is the next `at`; the last one."""
    ring = borrow(ring)
    for i in range(len(times)):
        start = clock_ns()
        for _ in range(links):
            at = ring[8 * at]
        times[i] = clock_ns() - start
    return at


@entry
def time_copies(target: Bytes, places: Rows, source: Bytes, starts: Rows, size: int, times: Times) -> None:
    """Copies of `size` bytes from starts[i] of `source` to places[i] of `target`, all of row i in one time."""
    target, source = borrow(target), borrow(source)
    for i in range(len(times)):
        start = clock_ns()
        for j in range(places.shape[1]):
            copy_bytes(target, places[i, j], source, starts[i, j], size)
        times[i] = clock_ns() - start


@entry
def time_comparisons(words: NDArray[np.uint64], rows: Rows, times: Times) -> int:
    """Whether all words of words[rows[i]] are equal, word by word to the end of those that are; how many are."""
    words = borrow(words)
    equal = 0
    for i in range(len(rows)):
        start = clock_ns()
        page = words[rows[i]]
        at = 1
        while at < len(page) and page[at] == page[0]:
            at += 1
        equal += at == len(page)
        times[i] = clock_ns() - start
    return equal


@entry
def time_first_touches(memory: Pages, times: Times) -> None:
    """A byte written to each row: a page fault where the row is a page that was never used."""
    memory = borrow(memory)
    for i in range(len(times)):
        start = clock_ns()
        memory[i, 0] = 1
        times[i] = clock_ns() - start


@entry
def time_page_outs(memory: Pages, rows: Rows, times: Times) -> int:
    """MADV_PAGEOUT of memory[rows[i]], rows that are pages of memory; the first i that failed, -1 if none did."""
    memory = borrow(memory)
    for i in range(len(rows)):
        start = clock_ns()
        done = page_out_row(memory, rows[i])
        times[i] = clock_ns() - start
        if done != 0:
            return i
    return -1


@entry
def time_touches(memory: Pages, rows: Rows, times: Times) -> int:
    """A byte read of memory[rows[i]]: a page fault where the page is not there; the sum of the bytes."""
    memory = borrow(memory)
    read = 0
    for i in range(len(rows)):
        start = clock_ns()
        read += memory[rows[i], 0]
        times[i] = clock_ns() - start
    return read


@entry
def time_writes(fd: int, pages: Pages, rows: Rows, slots: Rows, times: Times) -> int:
    """pages[rows[i]] to slots[i] of a device; the first i that failed, -1 if none did."""
    pages = borrow(pages)
    size = pages.shape[1]
    for i in range(len(rows)):
        start = clock_ns()
        done = write_row(fd, pages, rows[i], slots[i] * size)
        times[i] = clock_ns() - start
        if done != size:
            return i
    return -1


@entry
def time_reads(fd: int, pages: Pages, rows: Rows, slots: Rows, times: Times) -> int:
    """slots[i] of a device into pages[rows[i]]; the first i that failed, -1 if none did."""
    pages = borrow(pages)
    size = pages.shape[1]
    for i in range(len(rows)):
        start = clock_ns()
        done = read_row(fd, pages, rows[i], slots[i] * size)
        times[i] = clock_ns() - start
        if done != size:
            return i
    return -1
