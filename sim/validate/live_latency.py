"""Latency measured on a zram device of this host, page by page, and what the timing model needs to predict it.

A batch of pages is written, another one that was written earlier is read, and a third goes through the compressor in
user space, in turn, so that all three see the same noise. Before each of them the core's caches are emptied, since a
page that is swapped out or in was not touched just before; then the code, but not the pages, is brought back by a few
pages that are not timed. No page is met twice by the same code.
"""

from __future__ import annotations

import copy
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sim.calibration.codecs import flusher
from sim.calibration.compiled.loops import Times, time_reads, time_writes
from sim.calibration.device import FLOOR_SLOTS, Transfer, aligned_pages, measure_floors, transfer
from sim.calibration.memory import measure_memory
from sim.calibration.samples import Samples
from sim.compressors.base import BATCH, Compressor, Pages
from workloads.errors import HostError
from workloads.host.signals import Pending
from workloads.host.zram import ZramDevice, zram_device

WARMING = 4  # pages


class Measured(NamedTuple):
    """One repeat over n pages, in the order of the pages; times int64[n] in ns.

    `write` and `read`: the device's 4-KiB writes and reads. `size` int32[n], `compress`, `decompress`: the codec's in
    user space.
    """

    write: Times
    read: Times
    size: npt.NDArray[np.int32]
    compress: Times
    decompress: Times


def measure_live(
    pages: Pages, compressor: Compressor, rng: np.random.Generator, pending: Pending
) -> tuple[Measured, Samples]:
    """Measure, with the clock, copies, faults and the device's floors, by which the costs are calibrated.

    On a new zram device, which is removed again; `pages` as `sim.calibration.calibrate.sample_pages` gives them. Raises
    HostError without root, zram or the compressor, and for a page that reads back wrong; KeyboardInterrupt when a
    signal has come.
    """
    n = len(pages)
    samples = Samples()
    measure_memory(samples, rng)
    slots = n + FLOOR_SLOTS + WARMING
    with zram_device(compressor.name, slots, parameters=compressor.algorithm_params) as device:
        measure_floors(samples, device, n)
        return _in_turn(pages, compressor, device, rng, pending), samples


def _in_turn(
    pages: Pages, compressor: Compressor, device: ZramDevice, rng: np.random.Generator, pending: Pending
) -> Measured:
    n = len(pages)
    order = rng.permutation(n)
    source, target = aligned_pages(n), aligned_pages(BATCH)
    source[:] = pages[order]
    size = np.zeros(n, np.int32)
    write, read, compress, decompress = np.zeros((4, n), np.int64)
    scratch, spare = aligned_pages(WARMING), np.arange(n + FLOOR_SLOTS, n + FLOOR_SLOTS + WARMING)
    scratch[:] = pages[rng.integers(0, n, WARMING)]
    flush, other = flusher(), copy.copy(compressor)

    def forget(*loops: Transfer) -> None:
        flush()
        for loop in loops:
            transfer(loop, device, scratch, np.arange(WARMING), spare)
        if not loops:
            other.measure(scratch)

    forget(time_writes, time_reads)
    compressor.measure(source[:BATCH])  # compiled before it is timed
    starts = range(0, n, BATCH)
    behind, ahead = len(starts) // 3, len(starts) // 2

    def rows(turn: int) -> npt.NDArray[np.int64]:
        start = starts[turn % len(starts)]
        return np.arange(start, min(start + BATCH, n))

    for turn in range(len(starts) + behind):
        pending.check()
        if turn < len(starts):
            here = rows(turn)
            forget(time_writes)
            write[here] = transfer(time_writes, device, source, here, here)
            here = rows(turn + ahead)
            size[here], compress[here], decompress[here] = compressor.measure(source[here[0] : here[-1] + 1], forget)
        if turn >= behind:
            here = rows(turn - behind)
            forget(time_reads)
            read[here] = transfer(time_reads, device, target, here - here[0], here)
            if not np.array_equal(target[: len(here)], source[here]):
                raise HostError(f"{device.name}: reads back other contents than were written to it")
    place = np.argsort(order)
    return Measured(write[place], read[place], size[place], compress[place], decompress[place])
