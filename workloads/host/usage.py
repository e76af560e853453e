"""What the memory of a cgroup consists of, read often and cheaply: files stay open.

What a kernel tells under which name (6.18; -1 stands for what it does not):

| here | version 1 | version 2 |
|---|---|---|
| limit | memory.limit_in_bytes | memory.high |
| used | memory.usage_in_bytes | memory.current |
| anon | total_rss | anon |
| shmem | total_shmem (since 4.19) | shmem |
| swap_cached | total_swapcached (since 5.13) | swapcached (since 5.13) |
| file | total_cache without shmem and swap_cached | file without shmem and swap_cached |
| kernel | memory.kmem.usage_in_bytes, page tables included | kernel (since 5.18) |
| page_tables | - | pagetables (since 5.11) |

Source: mm/memcontrol-v1.c and memory_stats in mm/memcontrol.c: the kernel's figures for pages of files are
NR_FILE_PAGES, which includes shared memory and the swap cache.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

UNKNOWN = -1
BYTES = 1 << 14  # of memory.stat, at most

FILES = {
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.kmem.usage_in_bytes"),
    2: ("memory.high", "memory.current", ""),
}
KEYS = {
    1: ("total_rss", "total_shmem", "total_cache", "total_swapcached", "", ""),
    2: ("anon", "shmem", "file", "swapcached", "kernel", "pagetables"),
}


class Usage(NamedTuple):
    """Bytes; -1 for what the kernel does not tell."""

    limit: int
    used: int
    anon: int
    shmem: int
    file: int
    swap_cached: int
    kernel: int
    page_tables: int


def parsed(version: int, limit: str, used: str, kernel: str, stat: str) -> Usage:
    """Make sense of the texts of the files of one version; `kernel` is empty where there is no such file."""
    words = stat.split()
    rows = dict(zip(words[::2], words[1::2], strict=False))
    anon, shmem, cache, swap_cached, own, page_tables = (int(rows.get(key, UNKNOWN)) for key in KEYS[version])
    file = max(cache - max(shmem, 0) - max(swap_cached, 0), 0) if cache >= 0 else UNKNOWN
    return Usage(
        _number(limit), _number(used), anon, shmem, file, swap_cached, _number(kernel) if kernel else own, page_tables
    )


def _number(text: str) -> int:
    return int(text) if text.strip().isdigit() else UNKNOWN


class UsageFiles:
    """The open files of a cgroup, for as long as the `with` block lasts."""

    def __init__(self, cgroup: Path, version: int) -> None:
        self._cgroup, self._version = cgroup, version
        self._fds: list[int] = []

    def __enter__(self) -> Self:
        for name in (*FILES[self._version], "memory.stat"):
            fd = -1
            with suppress(OSError):  # a kernel without it
                fd = os.open(self._cgroup / name, os.O_RDONLY | os.O_CLOEXEC) if name else -1
            self._fds.append(fd)
        return self

    def read(self) -> Usage:
        """What is used now. Raises OSError."""
        limit, used, kernel, stat = ("" if fd < 0 else os.pread(fd, BYTES, 0).decode() for fd in self._fds)
        return parsed(self._version, limit, used, kernel, stat)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for fd in self._fds:
            if fd >= 0:
                os.close(fd)
        self._fds = []
