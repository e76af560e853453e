"""The nine fields of zram's mm_stat, as a kernel prints them.

Source: mm_stat_show in drivers/block/zram/zram_drv.c (6.18).
"""

from __future__ import annotations

from typing import NamedTuple

from workloads.errors import HostError


class MmStat(NamedTuple):
    """mm_stat; memory in bytes, the rest in pages."""

    orig_data_size: int
    compr_data_size: int
    mem_used_total: int
    mem_limit: int
    mem_used_max: int
    same_pages: int
    pages_compacted: int
    huge_pages: int
    huge_pages_since: int


FIELDS = MmStat._fields


def parsed(text: str) -> MmStat:
    """The line in /sys/block/zramN/mm_stat. Raises HostError when it has not nine numbers (before 5.15)."""
    words = text.split()
    if len(words) != len(FIELDS):
        raise HostError(f"mm_stat has {len(words)} fields instead of {len(FIELDS)}; a kernel from 5.15 on is needed")
    return MmStat(*map(int, words))
