"""mm_stat of zram as the simulation predicts it; `workloads.host.mmstat` has what a kernel prints."""

from __future__ import annotations

from allocators import Allocator
from sim.frontends.kernels.zram import Zram as Device
from sim.frontends.zram import NO_LIMIT
from workloads.host.mmstat import MmStat


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
