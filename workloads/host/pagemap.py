"""Where the pages of processes are, from /proc/PID/pagemap: in which slots of a swap device, for instance.

Source: Documentation/admin-guide/mm/pagemap.rst, PAGEMAP_SCAN in include/uapi/linux/fs.h (6.7 and later).
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

PAGEMAP_SCAN = 0xC0606610
PAGE_IS_PRESENT, PAGE_IS_SWAPPED = 1 << 3, 1 << 4
ARGUMENT = struct.Struct("<12Q")
REGION = np.dtype([("start", np.uint64), ("end", np.uint64), ("categories", np.uint64)])
REGIONS = 4096
GAP = 64  # pages between two regions below which both are read at once
HIGHEST_ADDRESS = (1 << 47) - 4096  # of user space
BATCH = 1 << 17  # entries a read


def swapped(pids: Iterable[int], number: int, page_size: int) -> dict[int, npt.NDArray[np.int64]]:
    """The slots on swap device `number`, int64[n], by process; processes that ended meanwhile are left out.

    Pages of shared memory that no process has mapped are not seen, nor are those in the swap cache.
    """
    found = {}
    for pid in pids:
        try:
            with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as file:
                _, words = entries(file.fileno(), pid, page_size, PAGE_IS_SWAPPED)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ESRCH, errno.EACCES):
                continue
            raise
        out = words[(words >> np.uint64(62)) & np.uint64(1) == 1]
        ours = out[out & np.uint64(31) == number]
        found[pid] = ((ours >> np.uint64(5)) & np.uint64((1 << 50) - 1)).astype(np.int64)
    return found


def entries(fd: int, pid: int, page_size: int, categories: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """The numbers of pages, int64[n] ascending, and their words in the open pagemap `fd` of `pid`, uint64[n].

    All pages that are of one of the `categories` are among them, and some that are not.
    """
    numbers, words = [np.empty(0, np.int64)], [np.empty(0, np.uint64)]
    for start, stop in _regions(fd, pid, page_size, categories):
        for at in range(start, stop, BATCH):
            part = np.frombuffer(os.pread(fd, 8 * (min(stop, at + BATCH) - at), 8 * at), np.uint64)
            numbers.append(np.arange(at, at + len(part)))
            words.append(part)
    return np.concatenate(numbers), np.concatenate(words)


def _regions(fd: int, pid: int, page_size: int, categories: int) -> Iterator[tuple[int, int]]:
    """First page and last page + 1 of the regions that have such pages, or of all there are before 6.7."""
    try:
        starts, ends = _scanned(fd, page_size, categories)
    except OSError as error:
        if error.errno not in (errno.ENOTTY, errno.EINVAL):
            raise
        yield from _mapped(pid, page_size)
        return
    if not len(starts):
        return
    apart = np.flatnonzero(starts[1:] - ends[:-1] > GAP) + 1
    first, last = np.append(0, apart), np.append(apart - 1, len(ends) - 1)
    yield from zip(starts[first].tolist(), ends[last].tolist(), strict=True)


def _scanned(fd: int, page_size: int, categories: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    regions = np.zeros(REGIONS, REGION)
    parts, at, n = [np.empty(0, REGION)], 0, REGIONS
    # Where the walk ended is not asked: the kernel (6.18) says what it last flushed its buffer at, though it went on.
    while n == REGIONS and at < HIGHEST_ADDRESS:
        fields = (ARGUMENT.size, 0, at, HIGHEST_ADDRESS, 0, regions.ctypes.data, REGIONS, 0)
        masks = (0, 0, categories, categories)
        n = fcntl.ioctl(fd, PAGEMAP_SCAN, bytearray(ARGUMENT.pack(*fields, *masks)))
        parts.append(regions[:n].copy())
        at = int(regions["end"][n - 1]) if n else at
    whole = np.concatenate(parts)
    return (whole["start"] // page_size).astype(np.int64), (whole["end"] // page_size).astype(np.int64)


def _mapped(pid: int, page_size: int) -> Iterator[tuple[int, int]]:
    with open(f"/proc/{pid}/maps") as file:
        for line in file:
            area, rights = line.split()[:2]
            start, stop = (int(word, 16) for word in area.split("-"))
            if rights[:3] != "---" and stop <= HIGHEST_ADDRESS:
                yield start // page_size, stop // page_size
