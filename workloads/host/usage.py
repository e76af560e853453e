"""What the memory of a cgroup consists of, and what its swap takes, read often and cheaply: files stay open.

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
| pool | mem_used_total of the zram device | the same |

Source: mm/memcontrol-v1.c and memory_stats in mm/memcontrol.c: the kernel's figures for pages of files are
NR_FILE_PAGES, which includes shared memory and the swap cache.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from workloads.host.mmstat import parsed

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
    pool: int


class UsageFiles:
    """The open files of a cgroup and of a zram device, for as long as the `with` block lasts."""

    def __init__(self, cgroup: Path, version: int, device: Path) -> None:
        """`device` is the folder in /sys/block."""
        names = ("memory.stat", *FILES[version])
        self._keys = KEYS[version]
        self._paths = [device / "mm_stat", *(cgroup / name if name else None for name in names)]
        self._fds: list[int] = []

    def __enter__(self) -> Self:
        for path in self._paths:
            fd = -1
            with suppress(OSError):  # a kernel without it
                fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC) if path else -1
            self._fds.append(fd)
        return self

    def pool(self) -> int:
        """Bytes that the device's pool takes now. Raises OSError."""
        return parsed(self._text(0)).mem_used_total

    def read(self) -> Usage:
        """What is used now. Raises OSError."""
        pool = self.pool()
        words = self._text(1).split()
        rows = dict(zip(words[::2], words[1::2], strict=True))
        anon, shmem, cache, swap_cached, kernel, page_tables = (int(rows.get(key, UNKNOWN)) for key in self._keys)
        file = max(cache - max(shmem, 0) - max(swap_cached, 0), 0) if cache >= 0 else UNKNOWN
        limit, used = self._number(2), self._number(3)
        return Usage(limit, used, anon, shmem, file, swap_cached, max(kernel, self._number(4)), page_tables, pool)

    def _text(self, file: int) -> str:
        return os.pread(self._fds[file], BYTES, 0).decode() if self._fds[file] >= 0 else ""

    def _number(self, file: int) -> int:
        text = self._text(file).strip()
        return int(text) if text.isdigit() else UNKNOWN

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for fd in self._fds:
            if fd >= 0:
                os.close(fd)
        self._fds = []
