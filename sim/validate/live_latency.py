"""Latency measured on a zram device of this host, page by page, and what the timing model needs to predict it.

Batches of pages are written in the order of their slots, as swap writes them, and later read in random order, as faults
do. In turn with them other batches go through the compressor in user space, and the floors of the device are measured,
so that all see the same noise. Before each write and read the caches are emptied, since a page that is swapped
out or in was not touched just before, nor was what lies on the way to it; then the code, but not the pages, is brought
back by a few pages that are not timed. The compressor's own pages are in the caches: memory out of them is a cost by
itself. No page is met twice by the same code.
"""

from __future__ import annotations

import copy
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sim.calibration.codecs import flusher
from sim.calibration.compiled.loops import Times, time_reads, time_writes
from sim.calibration.device import WARMING, Floors, Transfer, aligned_pages, floors, transfer
from sim.calibration.memory import measure_memory
from sim.calibration.samples import Samples
from sim.compressors.base import BATCH, Compressor, Pages
from workloads.errors import HostError
from workloads.host.signals import Pending
from workloads.host.zram import ZramDevice, zram_device

FEW = 16  # pages that go through the compressor together, so that they stay in the core's caches


class Measured(NamedTuple):
    """One repeat over n pages, in the order in which they were written; times int64[n] in ns.

    `write` and `read`: the device's 4-KiB writes and reads; `back` int64[n]: the order of the reads. `size` int32[n],
    `compress`, `decompress`: the codec's in user space.
    """

    write: Times
    read: Times
    back: npt.NDArray[np.int64]
    size: npt.NDArray[np.int32]
    compress: Times
    decompress: Times


def measure_live(
    pages: Pages, compressor: Compressor, rng: np.random.Generator, pending: Pending
) -> tuple[Measured, Samples]:
    """Measure, with the clock, copies, faults and the device's floors, by which the costs are calibrated.

    On a new zram device, which is removed again; `pages` are written in this order, none of them same-filled. Raises
    HostError without root, zram or the compressor, and for a page that reads back wrong; KeyboardInterrupt when a
    signal has come.
    """
    n = len(pages)
    samples = Samples()
    measure_memory(samples, rng)
    with (
        zram_device(compressor.name, n + WARMING, parameters=compressor.algorithm_params) as device,
        floors(samples) as beside,
    ):
        measured = _in_turn(pages, compressor, device, beside, rng, pending)
        beside.measure_once()
        return measured, samples


def _in_turn(
    pages: Pages, compressor: Compressor, device: ZramDevice, beside: Floors, rng: np.random.Generator, pending: Pending
) -> Measured:
    n = len(pages)
    back = rng.permutation(n)
    source, target = aligned_pages(n), aligned_pages(BATCH)
    source[:] = pages
    size = np.zeros(n, np.int32)
    write, read, compress, decompress = np.zeros((4, n), np.int64)
    scratch, spare = aligned_pages(WARMING), np.arange(n, n + WARMING)
    scratch[:] = pages[rng.integers(0, n, WARMING)]
    flush, other = flusher(), copy.copy(compressor)
    warming = scratch.copy()

    def forget(*loops: Transfer) -> None:
        flush()
        for loop in loops:
            transfer(loop, device, scratch, np.arange(WARMING), spare)

    batches = np.split(np.arange(n), range(BATCH, n, BATCH))
    forget(time_writes, time_reads)
    compressor.measure(source[:BATCH])  # compiled before it is timed
    for phase, loop in enumerate((time_writes, time_reads)):
        for turn, here in enumerate(batches):
            pending.check()
            beside.measure()
            beside.measure_cold(flush)
            forget(loop)
            if loop is time_writes:
                write[here] = transfer(loop, device, source, here, here)
            else:
                slots = back[here]
                read[slots] = transfer(loop, device, target, here - here[0], slots)
                if not np.array_equal(target[: len(here)], source[slots]):
                    raise HostError(f"{device.name}: reads back other contents than were written to it")
            if turn % 2 == phase:  # half of the pages beside the writes, half beside the reads
                for few in np.split(here, range(FEW, len(here), FEW)):
                    measures = compressor.measure(source[few], lambda: other.measure(warming))
                    size[few], compress[few], decompress[few] = measures
    return Measured(write, read, back, size, compress, decompress)
