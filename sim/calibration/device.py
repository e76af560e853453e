"""The floors of a zram device of this host: what a store and a load take that move no page of a trace.

Every page of a trace pays them too. The device has the kernel's default codec, so that they are the same whatever codec
a trace is measured with. They are of four kinds, all with what they touch in the caches, since lines out of the caches
are a cost of their own:

- `store` of a same-filled page and `load` of an empty slot: the way to the device and back;
- `object store`, over another object, and `object load`: pages that repeat a pattern, less the codec's time for them;
- `discard` of an empty slot and of one with an object: freeing it;
- `grow`: objects of many sizes, one size after the other, less the codec's time; the model of zsmalloc tells which of
  them took new pages, and how many (`number`).

Stores and loads of objects are also measured `cold`, with emptied caches: as far as they scatter around their median,
the way itself does.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter_ns
from typing import Any

import numpy as np

from allocators.zspages.zsmalloc import Zsmalloc
from sim.calibration.compiled.loops import Rows, Times, time_reads, time_writes
from sim.calibration.samples import Samples
from sim.compressors.base import BATCH, Compressor, Pages
from sim.compressors.exact import clock_reading_ns
from sim.plugins import COMPRESSORS
from sim.timing.costs import read_costs
from sim.timing.kernel_codecs import ratio
from workloads.errors import HostError
from workloads.host.kernel import zsmalloc_chain
from workloads.host.zram import PAGE, ZramDevice, zram_device

COUNT = 64
ROUNDS = 8
WARMING = 4  # transfers that are not timed
PATTERN = 512  # bytes, which codecs copy word by word
NOISE = range(60, 3600, 60)  # bytes of noise in a page, whose object is a little larger
GROW_SLOTS = COUNT * len(NOISE)
FLOOR_SLOTS = 3 * COUNT + GROW_SLOTS
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


@contextmanager
def floors(samples: Samples) -> Iterator[Floors]:
    """A device of their own, which is removed again. Raises HostError without root or zram."""
    with zram_device(None, FLOOR_SLOTS) as device:
        yield Floors(samples, device, COMPRESSORS.make(device.codec()))


class Floors:
    """Measures them on a device with FLOOR_SLOTS empty slots, compressed by `codec` there as here."""

    def __init__(self, samples: Samples, device: ZramDevice, codec: Compressor) -> None:
        self.rng = rng = np.random.default_rng(0)
        self.samples, self.device, self.codec, self.costs = samples, device, codec, read_costs()
        self.rows, self.target = np.arange(COUNT), aligned_pages(COUNT)
        self.filled, self.pattern = aligned_pages(1), aligned_pages(COUNT)
        self.filled[:] = 1
        self.pattern[:] = np.tile(rng.integers(0, 256, (COUNT, PATTERN), np.uint8), PAGE // PATTERN)
        self.slots = iter(np.arange(FLOOR_SLOTS).reshape(-1, COUNT))
        self.same, self.objects, self.empty = (next(self.slots) for _ in range(3))
        transfer(time_writes, device, self.filled, 0 * self.rows, self.same)
        transfer(time_writes, device, self.pattern, self.rows, self.objects)

    def measure(self) -> None:
        """Add COUNT samples of each store and load."""
        _, compress, decompress = self._codec_times(self.pattern)
        self._twice("store", time_writes, self.filled, 0 * self.rows, self.same)
        self._twice("load", time_reads, self.target, self.rows, self.empty)
        self._twice("object store", time_writes, self.pattern, self.rows, self.objects, compress)
        self._twice("object load", time_reads, self.target, self.rows, self.objects, decompress)

    def measure_cold(self, flush: Callable[[], object]) -> None:
        """Add COUNT stores and loads of objects out of the caches, which `flush` empties; some bring the code back."""
        for part, loop in (("object store", time_writes), ("object load", time_reads)):
            pages = self.pattern if loop is time_writes else self.target
            few, order = self.rows[:WARMING], self.rng.permutation(COUNT)
            flush()
            transfer(loop, self.device, pages, few, self.empty[:WARMING] if loop is time_reads else self.objects[few])
            ns = transfer(loop, self.device, pages, order, self.objects[order])
            self.samples.add("device", ns, PAGE, part=part, state="cold")

    def measure_once(self) -> None:
        """Add samples of discards and of the pool's growth, which leave nothing to be measured again."""
        for _ in range(ROUNDS):
            transfer(time_writes, self.device, self.pattern, self.rows, self.objects)
            for part in ("object discard", "discard"):
                self.samples.add("device", self._discards(self.objects), PAGE, part=part)
        transfer(time_writes, self.device, self.pattern, self.rows, self.objects)
        for taken, ns in self._growing():
            self.samples.add("device", ns, taken, part="grow")

    def _codec_times(self, pages: Pages) -> tuple[Any, Any, Any]:
        """Sizes, and what the kernel's codec takes for these pages."""
        sizes, *times = self.codec.measure(np.array(pages))
        ratios = (ratio(self.codec.spec, part, self.costs) for part in ("compress", "decompress"))
        compress, decompress = (ns * longer for ns, longer in zip(times, ratios, strict=True))
        return sizes, compress, decompress

    def _twice(self, part: str, loop: Transfer, pages: Pages, rows: Rows, slots: Rows, codec: Any = 0) -> None:
        """The second time counts: then all that it touches is in the caches."""
        transfer(loop, self.device, pages, rows, slots)
        ns = transfer(loop, self.device, pages, rows, slots)
        self.samples.add("device", ns - codec, PAGE, part=part)

    def _discards(self, slots: Rows) -> Times:
        times = np.zeros(len(slots), np.int64)
        for i, slot in enumerate(slots.tolist()):
            start = perf_counter_ns()
            self.device.discard(slot)
            times[i] = perf_counter_ns() - start
        return times

    def _growing(self) -> Iterator[tuple[Rows, Any]]:
        """For pages with so much noise: pages that each store took, and how much longer it was than one of none."""
        pool, pages = Zsmalloc(chain=zsmalloc_chain()), aligned_pages(COUNT)
        assert BATCH >= COUNT, "one batch of the codec, so that it sees these pages once"
        for noise, slots in zip(NOISE, self.slots, strict=True):
            pages[:] = 0
            pages[:, :noise] = np.random.default_rng(noise).integers(1, 256, (COUNT, noise), np.uint8)
            sizes, compress, _ = self._codec_times(pages)
            ns = transfer(time_writes, self.device, pages, self.rows, slots) - compress
            held = [pool.pages]
            for size in sizes.tolist():
                pool.alloc(size)
                held.append(pool.pages)
            taken = np.diff(held)
            if (taken == 0).any():
                yield taken[taken > 0], ns[taken > 0] - np.median(ns[taken == 0])
