"""The floors of a zram device of this host: the times of a store and a load that move no data.

Every page of a trace pays them too, so they give the cost of the path there and back without any page of the trace.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable

import numpy as np

from sim.calibration.compiled.loops import Rows, Times, time_reads, time_writes
from sim.calibration.samples import Samples
from sim.compressors.base import Pages
from sim.compressors.exact import clock_reading_ns
from workloads.errors import HostError
from workloads.host.zram import PAGE, ZramDevice

COUNT = 1000
FLOOR_SLOTS = 2 * COUNT
Transfer = Callable[[int, Pages, Rows, Rows, Times], int]


def aligned_pages(count: int) -> Pages:
    """Pages at addresses that direct I/O takes; uint8[count, PAGE], touched."""
    pages = np.frombuffer(mmap.mmap(-1, count * PAGE), np.uint8).reshape(count, PAGE)
    pages[:] = 0
    return pages


def transfer(loop: Transfer, device: ZramDevice, pages: Pages, rows: Rows, slots: Rows) -> Times:
    """Nanoseconds of each write or read of one page, the clock's subtracted. Raises HostError."""
    times = np.zeros(len(rows), np.int64)
    failed = loop(device.fileno(), pages, rows, slots, times)
    if failed >= 0:
        raise HostError(f"{device.name}: slot {slots[failed]}: {loop.__name__[5:]} failed; is memory short?")
    return np.maximum(times - clock_reading_ns(), 1)


def measure_floors(samples: Samples, device: ZramDevice, first: int) -> None:
    """Add stores of a same-filled page, and loads of empty slots; they take FLOOR_SLOTS empty slots from `first` on."""
    page, rows = aligned_pages(1), np.zeros(COUNT, np.int64)
    page[:] = 1
    for part, loop in (("store", time_writes), ("load", time_reads)):
        slots = np.arange(first, first + COUNT)
        samples.add("device", transfer(loop, device, page, rows, slots), PAGE, part=part)
        first += COUNT
