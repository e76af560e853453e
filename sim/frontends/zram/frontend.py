"""`zram`: the compressed block device."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from allocators import Allocator
from allocators.compiled import arrays
from allocators.eras import Span, check_era
from allocators.zspages.units import UNITS
from sim.compressors.dictionary import by_digest
from sim.frontends.base import NO_LIMIT, Bytes, Frontend, Pages, counted, empty_slots
from sim.frontends.zram import era_2012, post_processing
from sim.frontends.zram.device import COUNTS, ENTRY, RULES, ZramDevice
from sim.frontends.zram.eras import ERAS, RELEASES, Era
from sim.frontends.zram.mmstat import predicted
from sim.frontends.zram.unit_device import unit_device, unit_stats
from workloads.host.mmstat import MmStat
from workloads.shown import meant
from workloads.traces.sizes import Sizes
from workloads.traces.source import swap_keeps_zeros
from workloads.traces.trace import Trace
from workloads.traces.units import no_units

EVERY = 1000
FEW_BYTES = 1 << 20  # of a limit that hardly anyone means
SIZE_HINT = "write 256M or 1G for more"
MOST_SECONDARY = 3
PART_OF = {
    "recompress_type": "recompress",
    "threshold": "recompress",
    "writeback_limit": "writeback",
    "backing_pages": "writeback",
    "compressed_writeback": "writeback",
}


class Zram(Frontend):
    """zram: same-filled pages are kept by value, incompressible ones whole.

    `era` 6.18 (see `device`) or an older one (see `eras`), which goes with an allocator of its time: 2012, that of
    2.6.37 to 3.5 (see `era_2012`), with the compressor lzo and over xvmalloc or zsmalloc:era=2012; 3.10, 4.9, 4.14 and
    6.14. The pages that 2012 keeps whole lie outside the pool, count among the pages held all the same, and are not
    taken from a limited zone. Until 4.16 a page that compresses to more than 3/4 is kept whole; until 4.10 only
    zero-filled ones are kept by value. 4.9 and 4.14 have `mem_limit` and, like the earlier ones, no post-processing;
    swap core keeps no zero pages in front of them. All that follows is of 6.14 and 6.18.

    `mem_limit` is the most memory in bytes that the pool may hold (256M in a spec), rounded up to whole pages; 0 for no
    limit. A write beyond it fails. `zeros_apart`: the device is swapped on by a kernel since 6.12, whose swap core
    keeps zero pages itself (mm/page_io.c); else it is a raw block device. By default it is so for recordings made on
    such a kernel. They count as same-filled either way. (What a slot held before is freed then; the kernel leaves it in
    zram until the slot is freed or written again.)

    Post-processing, as by a service that writes to sysfs now and then: after every `every` events, the objects of type
    `recompress_type` (all, idle, huge, huge_idle) are recompressed by the secondary compressors `recompress`, up to
    three, joined by + in the order of their priority, each with its settings joined by colons
    (zstd:level=8:dict=FILE+deflate), unless they have less than `threshold` bytes; then those of the
    types `writeback` (idle, huge, huge_idle, incompressible, joined by +) are written to the backing device, until
    `writeback_limit` blocks of 4 KiB have been written in all, or `backing_pages` lie there (0 for no limit);
    then all objects are marked idle. So what was not touched for a whole period is recompressed, and written back a
    period later if nothing recompresses it further. What is written back is in no density. With `compressed_writeback`
    (7.0) pages go to the backing device as they are compressed: not decompressed then, but whenever they are read from
    there. A write is a page long either way, so nothing counted differs.

    `unit` neighbouring pages that are paged out together (`workloads.traces.units`) are compressed as one block: 2, 4,
    8 or 16, of 64 KiB at most, over zsmalloc or ideal, without post-processing (see `units`; posted, never merged).
    Others are stored by themselves.

    With zsmalloc, recompression must gain a size class (6.18.15 still looks it up without the handle that is stored
    too; 6.12.117 and 7.2 look up the right one, and so does this); with another allocator, a byte. Of a backing device
    of N pages 6.18 uses N - 1. Raises ValueError for a value out of range.
    """

    name: ClassVar[str] = "zram"
    releases: ClassVar[tuple[Span, ...]] = RELEASES

    def __init__(
        self,
        era: str = "6.18",
        mem_limit: Bytes = 0,
        zeros_apart: bool | None = None,
        recompress: str = "",
        recompress_type: str = "idle",
        threshold: Bytes = 0,
        writeback: str = "",
        writeback_limit: int | None = None,
        backing_pages: Pages = 0,
        compressed_writeback: bool = False,
        every: int = EVERY,
        unit: int = 1,
    ) -> None:
        for name, value in (("mem_limit", mem_limit), ("threshold", threshold), ("backing_pages", backing_pages)):
            if value < 0:
                raise ValueError(f"{name}={value}: give 0 (none) or more")
        self.era = str(era)
        self.mem_limit = mem_limit
        self.zeros_apart = zeros_apart
        self._apart = bool(zeros_apart)
        self.recompress = by_digest(recompress)
        self.recompress_type = recompress_type
        self.threshold = threshold
        self.writeback = writeback
        self.writeback_limit = writeback_limit
        self.backing_pages = backing_pages
        self.compressed_writeback = compressed_writeback
        self.every = every
        self.unit = unit
        self._units = no_units(unit)
        self._check()

    def _check(self) -> None:
        changed = list(self.config)
        check_era(self.name, self.era, ERAS, RELEASES)
        takes = self._rules.takes
        other = [name for name in changed if takes is not None and name not in takes]
        if other:
            raise ValueError(f"{other[0]} is not of era={self.era}; leave it out")
        if len(self.compressors) > MOST_SECONDARY or not all(self.compressors):
            raise ValueError(f"recompress={self.recompress}: give up to {MOST_SECONDARY} compressors, joined by +")
        for name, kinds, known in (
            ("recompress_type", [self.recompress_type], post_processing.RECOMPRESSION),
            ("writeback", self._writeback, post_processing.WRITEBACK),
        ):
            wrong = [kind for kind in kinds if kind not in known]
            if wrong:
                raise ValueError(f"{name}: {wrong[0]!r} is unknown{meant(wrong[0], known)}; use {', '.join(known)}")
        if self.every < 1:
            raise ValueError(f"every={self.every}: give a number of events")
        if self.unit not in UNITS:
            raise ValueError(f"unit={self.unit}: give {', '.join(map(str, UNITS))} pages")
        if self.unit > 1 and self.era != "6.18":
            raise ValueError(f"unit={self.unit} is not of era={self.era}; leave it or era out")
        if self.unit > 1 and (wrong := [name for name in changed if name in (*PART_OF, *PART_OF.values())]):
            raise ValueError(f"unit={self.unit} knows no {wrong[0]}; leave it or unit out")
        if self.writeback_limit is not None and self.writeback_limit < 0:
            raise ValueError(f"writeback_limit={self.writeback_limit}: give a number of blocks of 4 KiB")
        for name in changed:
            if name in PART_OF and not getattr(self, PART_OF[name]):
                raise ValueError(f"{name} has no effect without {PART_OF[name]}; give {PART_OF[name]} too")

    @property
    def _rules(self) -> Era:
        return ERAS[self.era]

    @property
    def compressors(self) -> tuple[str, ...]:
        """See `Frontend.compressors`."""
        return tuple(map(_spec, self.recompress.split("+"))) if self.recompress else ()

    @property
    def _writeback(self) -> list[str]:
        return self.writeback.split("+") if self.writeback else []

    @property
    def period(self) -> int:
        """See `Frontend.period`."""
        return self.every if self.recompress or self.writeback else 0

    @property
    def streams(self) -> int | None:
        """See `Frontend.streams`: until 3.13 one buffer under one lock."""
        return self._rules.streams

    def on(self, trace: Trace) -> Zram:
        """See `Frontend.on`: whether swap core keeps zero pages, unless that was given."""
        if (self.zeros_apart is not None and self.unit == 1) or self._rules.takes is not None:
            return self
        other = copy.copy(self)
        if self.zeros_apart is None:
            other._apart = swap_keeps_zeros(trace.source)
        if self.unit > 1:
            other._units = trace.units(self.unit)
        return other

    def remarks(self, trace: Trace) -> Iterator[str]:
        """See `Frontend.remarks`."""
        pages = -(-self.mem_limit // trace.page_size)
        if self.mem_limit % trace.page_size or 0 < self.mem_limit < FEW_BYTES:
            rounded = ", rounded up as the kernel does" if self.mem_limit % trace.page_size else ""
            count = "1 page" if pages == 1 else f"{pages:,} pages"
            yield f"zram: mem_limit={self.mem_limit} is bytes: {count} of {trace.page_size} bytes{rounded}; {SIZE_HINT}"
        if self.unit > 1 and "sample" in trace.source:
            yield f"{trace.name}: has only some slots, so neighbours with unit={self.unit} were none on the device"
        if self.unit > 1 and trace.counts["out"] and not len(trace.units(self.unit).at):
            yield f"{trace.name}: no {self.unit} neighbours were paged out together, so unit={self.unit} has no effect"
        if self.period > trace.n_events:
            what = " or ".join(name for name in ("recompress", "writeback") if getattr(self, name))
            yield (
                f"{self.spec}: every={self.every} is more than the {trace.n_events:,} events of {trace.name}, so "
                f"{what} never happens; give a smaller every"
            )

    def device(self, n_slots: int, allocator: Allocator, *secondary: Sizes) -> Any:
        """See `Frontend.device`."""
        if self._rules.outside:
            return era_2012.device(self, n_slots, allocator)
        if self.unit > 1:
            sizes = secondary[0] if secondary else Sizes.given([])
            return unit_device(_device(self, n_slots, allocator), self._units, allocator, sizes)
        return _device(self, n_slots, allocator, *secondary)

    def maintain(self, device: ZramDevice, allocator: Allocator) -> None:
        """See `Frontend.maintain`."""
        if not self.period:
            return
        if self.recompress:
            post_processing.recompress(device, allocator, self.recompress_type, self.threshold)
        for kind in self._writeback:
            post_processing.write_back(device, allocator, kind)
        post_processing.mark_idle(device)

    def mm_stat(self, device: Any, allocator: Allocator) -> MmStat | None:
        """See `Frontend.mm_stat`; until 3.13 there was a file for each figure."""
        return predicted(device, allocator) if self._rules.files else None

    def stats(self, device: Any) -> dict[str, int]:
        """See `Frontend.stats`; and what post-processing did so far, in pages, and the bytes written to the backing
        device."""
        if self._rules.takes is not None:
            return super().stats(device)
        counts = counted(device.counts[0])
        if self.unit > 1:
            return super().stats(device) | unit_stats(device)
        own = {name: counts[name] for name in ("recompressed", "incompressible", "bd_reads", "bd_writes")}
        return super().stats(device) | own | {"bytes_written": counts["bd_writes"] * int(device.rules[0].page_size)}


def _spec(nested: str) -> str:
    """The spec of a secondary compressor, `zstd:level=8:dict=FILE` as it stands in another spec."""
    name, *settings = nested.split(":")
    return f"{name}:{','.join(settings)}" if settings else name


def _device(zram: Zram, n_slots: int, allocator: Allocator, *secondary: Sizes) -> ZramDevice:
    rules, counts = arrays.records(1, RULES), arrays.records(1, COUNTS)
    page_size, era = allocator.page_size, zram._rules
    rules["page_size"] = page_size
    rules["huge"] = page_size // 4 * 3 + 1 if era.three_quarters else allocator.huge_size
    rules["zeros_only"], rules["frees_first"] = era.zeros_only, era.frees_first
    rules["limit"] = -(-zram.mem_limit // page_size) or NO_LIMIT
    rules["zeros_apart"] = zram._apart
    rules["backing"] = zram.backing_pages or NO_LIMIT
    rules["compressed"] = zram.compressed_writeback
    counts["budget"] = NO_LIMIT if zram.writeback_limit is None else zram.writeback_limit
    classes = allocator.size_class_of(np.arange(page_size + 1))
    table = np.array([sizes.size for sizes in secondary]) if secondary else np.zeros((0, 0), np.int32)
    return ZramDevice(empty_slots(n_slots), rules, counts, arrays.records(n_slots, ENTRY), classes, table)
