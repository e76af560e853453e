"""`zram`: the compressed block device."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from allocators import Allocator
from allocators.kernels import arrays
from allocators.zsmalloc import Zsmalloc
from sim.frontends import zram_upkeep as upkeep
from sim.frontends.base import Frontend, counted, empty_slots, huge_size
from sim.frontends.kernels import zram as kernels
from sim.frontends.kernels import zram_2012 as kernels_2012
from sim.parameters import parameters
from workloads.sizes import Sizes

NO_LIMIT = np.iinfo(np.int64).max
ERAS = ("2012", "6.18")
EVERY = 1000
MOST_SECONDARY = 3
PART_OF = {
    "recompress_type": "recompress",
    "threshold": "recompress",
    "writeback_limit": "writeback",
    "backing_pages": "writeback",
}


class Zram(Frontend):
    """zram: same-filled pages are kept by value, incompressible ones whole.

    `era` 6.18 (see `kernels.zram`) or 2012: that of 2.6.37 to 3.5 (see `kernels.zram_2012`), for the codec lzo, over
    xvmalloc or zsmalloc:era=2012. Its pages kept whole lie outside the pool, count among the pages held all the same,
    and are not taken from a limited zone. All that follows is of 6.18.

    `mem_limit` is the most memory in bytes that the pool may hold, rounded up to whole pages; 0 for no limit. A write
    beyond it fails. `zeros_apart`: the device is swapped on by a kernel since 6.12, whose swap core keeps zero pages
    itself (mm/page_io.c); else it is a raw block device. They count as same-filled either way. (What a slot held
    before is freed then; the kernel leaves it in zram until the slot is freed or written again.)

    Upkeep, as a service that writes to sysfs now and then: after every `every` events, the objects of type
    `recompress_type` (all, idle, huge, huge_idle) are recompressed by the secondary codecs `recompress`, up to three,
    joined by + in the order of their priority, unless they have less than `threshold` bytes; then those of the types
    `writeback` (idle, huge, huge_idle, incompressible, joined by +) are written to the backing device, until
    `writeback_limit` blocks of 4 KiB have been written in all, or `backing_pages` lie there (0 for no limit);
    then all objects are marked idle. So what was not touched for a whole period is recompressed, and written back a
    period later if nothing recompresses it further. What is written back is in no density.

    With zsmalloc, recompression must gain a size class (6.18.15 still looks it up without the handle that is stored
    too; 6.12.117 and 7.2 look up the right one, and so does this); with another allocator, a byte. Of a backing device
    of N pages 6.18 uses N - 1. Raises ValueError for a value out of range.
    """

    name: ClassVar[str] = "zram"

    def __init__(
        self,
        era: str = "6.18",
        mem_limit: int = 0,
        zeros_apart: bool = False,
        recompress: str = "",
        recompress_type: str = "idle",
        threshold: int = 0,
        writeback: str = "",
        writeback_limit: int | None = None,
        backing_pages: int = 0,
        every: int = EVERY,
    ) -> None:
        for name, value in (("mem_limit", mem_limit), ("threshold", threshold), ("backing_pages", backing_pages)):
            if value < 0:
                raise ValueError(f"{name}={value}: give 0 (none) or more")
        self.era = str(era)
        self.mem_limit = mem_limit
        self.zeros_apart = zeros_apart
        self.recompress = recompress
        self.recompress_type = recompress_type
        self.threshold = threshold
        self.writeback = writeback
        self.writeback_limit = writeback_limit
        self.backing_pages = backing_pages
        self.every = every
        self._check()

    def _check(self) -> None:
        defaults = {name: parameter.default for name, parameter in parameters(type(self)).items()}
        changed = [name for name, default in defaults.items() if getattr(self, name) != default]
        if self.era not in ERAS:
            raise ValueError(f"era={self.era} is unknown; use {', '.join(ERAS)}")
        if self.era == "2012" and changed != ["era"]:
            raise ValueError(f"{changed[1]} is not of era=2012; leave it out")
        if len(self.codecs) > MOST_SECONDARY or not all(self.codecs):
            raise ValueError(f"recompress={self.recompress}: give up to {MOST_SECONDARY} codecs, joined by +")
        for name, kinds, known in (
            ("recompress_type", [self.recompress_type], upkeep.RECOMPRESSION),
            ("writeback", self._writeback, upkeep.WRITEBACK),
        ):
            wrong = [kind for kind in kinds if kind not in known]
            if wrong:
                raise ValueError(f"{name}: {wrong[0]!r} is unknown; use {', '.join(known)}")
        if self.every < 1:
            raise ValueError(f"every={self.every}: give a number of events")
        if self.writeback_limit is not None and self.writeback_limit < 0:
            raise ValueError(f"writeback_limit={self.writeback_limit}: give a number of blocks of 4 KiB")
        for name in changed:
            if name in PART_OF and not getattr(self, PART_OF[name]):
                raise ValueError(f"{name} has no effect without {PART_OF[name]}; give {PART_OF[name]} too")

    @property
    def codecs(self) -> tuple[str, ...]:
        """See `Frontend.codecs`."""
        return tuple(self.recompress.split("+")) if self.recompress else ()

    @property
    def _writeback(self) -> list[str]:
        return self.writeback.split("+") if self.writeback else []

    @property
    def period(self) -> int:
        """See `Frontend.period`."""
        return self.every if self.recompress or self.writeback else 0

    @property
    def streams(self) -> int | None:
        """See `Frontend.streams`: in 2012 one buffer under one lock."""
        return 1 if self.era == "2012" else None

    def device(self, n_slots: int, allocator: Allocator, *secondary: Sizes) -> kernels.Zram | kernels_2012.Zram2012:
        """See `Frontend.device`."""
        if self.era == "2012":
            rules = arrays.records(1, kernels_2012.RULES)
            rules["most"], rules["page_size"] = allocator.page_size // 4 * 3, allocator.page_size
            return kernels_2012.Zram2012(empty_slots(n_slots), rules)
        return self.modern(n_slots, allocator, *secondary)

    def modern(self, n_slots: int, allocator: Allocator, *secondary: Sizes) -> kernels.Zram:
        """The device of era 6.18."""
        rules, counts = arrays.records(1, kernels.RULES), arrays.records(1, kernels.COUNTS)
        rules["huge"], rules["page_size"] = huge_size(allocator), allocator.page_size
        rules["limit"] = -(-self.mem_limit // allocator.page_size) or NO_LIMIT
        rules["zeros_apart"] = self.zeros_apart
        rules["backing"] = self.backing_pages or NO_LIMIT
        counts["budget"] = NO_LIMIT if self.writeback_limit is None else self.writeback_limit
        table = np.array([sizes.size for sizes in secondary]) if secondary else np.zeros((0, 0), np.int32)
        entry = arrays.records(n_slots, kernels.ENTRY)
        return kernels.Zram(empty_slots(n_slots), rules, counts, entry, _classes(allocator), table)

    def maintain(self, device: kernels.Zram, allocator: Allocator) -> None:
        """See `Frontend.maintain`."""
        if not self.period:
            return
        if self.recompress:
            upkeep.recompress(device, allocator, self.recompress_type, self.threshold)
        for kind in self._writeback:
            upkeep.write_back(device, allocator, kind)
        upkeep.mark_idle(device)

    def stats(self, device: kernels.Zram | kernels_2012.Zram2012) -> dict[str, int]:
        """See `Frontend.stats`; and what upkeep did so far, in pages, and the bytes written to the backing device."""
        if isinstance(device, kernels_2012.Zram2012):
            return super().stats(device)
        counts = counted(device.counts[0])
        own = {name: counts[name] for name in ("recompressed", "incompressible", "bd_reads", "bd_writes")}
        return super().stats(device) | own | {"bytes_written": counts["bd_writes"] * int(device.rules[0].page_size)}


def _classes(allocator: Allocator) -> Any:
    """The class in whose terms recompression must gain, of each size; int16[page_size + 1]."""
    if isinstance(allocator, Zsmalloc):
        return allocator.state.class_of
    return np.arange(allocator.page_size + 1, dtype=np.int16 if allocator.page_size < 2**15 else np.int32)
