"""mm_stat of zram as the simulation predicts it; `workloads.host.mmstat` has what a kernel prints."""

from __future__ import annotations

from typing import NamedTuple

from allocators import Allocator
from sim.frontends.base import NO_LIMIT
from sim.frontends.zram.device import ZramDevice as Device
from workloads.host.mmstat import MmStat


class BdStat(NamedTuple):
    """bd_stat, in blocks of 4 KiB: on the backing device now; read from it and written to it so far."""

    bd_count: int
    bd_reads: int
    bd_writes: int


def predicted(device: Device, allocator: Allocator) -> MmStat:
    """What mm_stat of a simulated device over `allocator` says; zero pages that swap core keeps are none of it."""
    size, tally, counts = allocator.page_size, device.slots.tally[0], device.counts[0]
    same_pages = int(tally.same_filled - counts.zeros)
    limit = int(device.rules[0].limit)
    return MmStat(
        orig_data_size=(int(tally.objects + tally.written_back) + same_pages) * size,
        compr_data_size=int(tally.bytes),
        mem_used_total=allocator.pages * size,
        mem_limit=0 if limit == NO_LIMIT else limit * size,
        mem_used_max=int(counts.most_pages) * size,
        same_pages=same_pages,
        pages_compacted=allocator.stats().get("pages_compacted", 0),
        huge_pages=int(tally.huge),
        huge_pages_since=int(counts.huge_since),
    )


def predicted_backing(device: Device, page_size: int) -> BdStat:
    """What bd_stat of a simulated device says (bd_stat_show)."""
    counts = device.counts[0]
    pages = (device.slots.tally[0].written_back, counts.bd_reads, counts.bd_writes)
    return BdStat(*(int(count) * (page_size // 4096) for count in pages))
