"""The nine fields of zram's mm_stat, as a kernel prints them and as the simulation predicts them.

Source: mm_stat_show in drivers/block/zram/zram_drv.c (6.18).
"""

from __future__ import annotations

from typing import NamedTuple

from allocators import Allocator
from sim.errors import UserError
from sim.frontends.kernels.zram import Zram as Device
from sim.frontends.zram import NO_LIMIT


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


def predicted(device: Device, allocator: Allocator) -> MmStat:
    """What mm_stat of a simulated device over `allocator` says."""
    size, tally, peaks = allocator.page_size, device.slots.tally[0], device.peaks[0]
    limit = int(device.rules[0].limit)
    return MmStat(
        orig_data_size=int(tally.objects + tally.same_filled) * size,
        compr_data_size=int(tally.bytes),
        mem_used_total=allocator.pages * size,
        mem_limit=0 if limit == NO_LIMIT else limit * size,
        mem_used_max=int(peaks.pages) * size,
        same_pages=int(tally.same_filled),
        pages_compacted=allocator.stats().get("pages_compacted", 0),
        huge_pages=int(tally.huge),
        huge_pages_since=int(peaks.huge),
    )


def parsed(text: str) -> MmStat:
    """The line in /sys/block/zramN/mm_stat. Raises UserError when it has not nine numbers (before 5.15)."""
    words = text.split()
    if len(words) != len(FIELDS):
        raise UserError(f"mm_stat has {len(words)} fields instead of {len(FIELDS)}; a kernel from 5.15 on is needed")
    return MmStat(*map(int, words))
