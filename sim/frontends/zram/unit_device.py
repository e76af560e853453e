"""A device of zram with units: how it is made, and what it counts."""

from __future__ import annotations

import numpy as np

from allocators import Allocator
from allocators.compiled import arrays
from sim.frontends.base import counted
from sim.frontends.compiled import slots
from sim.frontends.zram.device import ZramDevice
from sim.frontends.zram.units import UNIT, UnitDevice
from workloads.traces.sizes import Sizes
from workloads.traces.units import Units


def unit_device(plain: ZramDevice, units: Units, allocator: Allocator, sizes: Sizes) -> UnitDevice:
    """An empty device, beside `plain` one; `sizes` are those of pages and units (`sim.sizing.units`)."""
    unit = arrays.records(1, UNIT)
    unit["pages"], unit["huge"], unit["numbers"] = units.unit, allocator.huge_unit, len(sizes) - len(units.pages)
    fill = np.where(sizes.zero_filled, slots.ZERO_FILLED, sizes.same_filled).astype(np.int8)
    found = (units.group, units.slots, units.pages)
    times = (sizes.compress_ns, sizes.decompress_ns)
    return UnitDevice(plain.slots, plain.rules, plain.counts, plain.entry, unit, *found, sizes.size, fill, *times)


def unit_stats(device: UnitDevice) -> dict[str, int]:
    """Units stored, page-ins of them and of all compressed objects, the pages decompressed for these, units split, and
    pages compressed by themselves out of them."""
    unit = counted(device.unit[0])
    singly = unit["reads"] - unit["unit_reads"]
    return {
        "unit_writes": unit["writes"],
        "unit_reads": unit["unit_reads"],
        "object_reads": unit["reads"],
        "pages_decompressed": singly + unit["unit_reads"] * unit["pages"],
        "splits": unit["splits"],
        "split_pages": int(device.slots.tally[0].split_pages),
    }
