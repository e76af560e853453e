"""zcache's rules for persistent pages, those of frontswap: three tests, then an object with a header.

Source: drivers/staging/zcache/zcache-main.c (3.0 to 3.5), zcache_pampd_create; tmem.c, tmem_put: a slot's old page is
freed before anything else. Same-filled pages are pages like any other. A load keeps the page. What is refused goes to
the swap device.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from allocators import Allocator
from allocators.compiled import arrays, dispatch
from allocators.compiled.codes import NO_MEMORY
from allocators.compiled.jit import compiled
from sim.frontends.base import NO_LIMIT, LimitedByRam, Pages, counted, empty_slots
from sim.frontends.compiled import slots
from sim.frontends.compiled.dispatch import Rules, register_rules
from workloads.traces.sizes import Sizes

RULES = np.dtype(
    [
        ("page_size", np.int64),
        ("header", np.int64),  # bytes in front of each compressed page
        ("most", np.int64),  # objects up to which another is taken
        ("max_zsize", np.int64),  # compressed bytes beyond which a page is refused
        ("max_mean_zsize", np.int64),  # and beyond which it is, while the pool holds more than that for each page
    ],
    align=True,
)
COUNTS = np.dtype(
    [
        ("limit_reached", np.int64),  # page-outs refused because there were too many pages
        ("compress_poor", np.int64),  # because this one was too large
        ("mean_compress_poor", np.int64),  # because it was large, and the others were on average
        ("failed_alloc", np.int64),  # by the allocator
    ],
    align=True,
)


class ZcacheDevice(NamedTuple):
    """A device."""

    slots: slots.Slots
    rules: Any  # RULES[1]
    counts: Any  # COUNTS[1]


@compiled
def accepts(device: ZcacheDevice, allocator: Any, size: int) -> bool:
    """Whether the policies let a page of `size` compressed bytes in; counts why not."""
    rules, counts = device.rules[0], device.counts[0]
    objects = device.slots.tally[0].objects
    if objects > rules.most:
        counts.limit_reached += 1
        return False
    slots.compress(device.slots)
    if size > rules.max_zsize:
        counts.compress_poor += 1
        return False
    if size > rules.max_mean_zsize and objects > 0:
        mean = dispatch.pages(allocator) * rules.page_size // objects
        if mean > rules.max_mean_zsize:
            counts.mean_compress_poor += 1
            return False
    return True


@compiled
def page_out(device: ZcacheDevice, allocator: Any, slot: int, page: int, size: int, fill: int) -> int:
    """Store a page of `size` compressed bytes; what became of it."""
    slots.drop(device.slots, allocator, slot)
    handle = NO_MEMORY
    if accepts(device, allocator, size):
        handle = dispatch.alloc(allocator, size + device.rules[0].header)
        if handle < 0:
            device.counts[0].failed_alloc += 1
    return slots.put(device.slots, allocator, slot, handle, size, slots.OBJECT)


@compiled
def page_in(device: ZcacheDevice, allocator: Any, slot: int) -> int:
    """Read a slot; what it holds."""
    return slots.load(device.slots, slot)


@compiled
def slot_free(device: ZcacheDevice, allocator: Any, slot: int) -> int:
    """Free a slot; what it held."""
    return slots.drop(device.slots, allocator, slot)


# struct zv_hdr of x86-64 with its sentinel (tmem.h): pool, object, index; also the size, unless the allocator knows it
# (xvmalloc).
HEADER, HEADER_WITH_SIZE = 40, 56


class Zcache(LimitedByRam):
    """zcache of drivers/staging/zcache (3.0 to 3.5): the pages of frontswap, that is every page-out of a trace.

    They lie in the given allocator: xvmalloc in the kernel until 3.3, zsmalloc from 3.4. `ram_pages` is the memory of
    the machine in pages; no more than `page_count_policy_percent` of that *number of pages* may be stored (a put is
    refused when there are more already), however little memory they take; 0 for no limit. A page of more than 7/8 of
    a page compressed is refused; so is one of more than 5/8 while the pool holds more than 5/8 of a page for each
    page in it. Raises ValueError for a value out of range.

    Each object has a header before it, in which the kernel notes what it belongs to; the bytes counted are the
    compressed page's alone. The pages of cleancache, which traces do not contain, are in `EphemeralPool`.
    """

    name: ClassVar[str] = "zcache"
    unlimited: ClassVar[str] = "no page is refused for their number"

    def __init__(self, ram_pages: Pages = 0, page_count_policy_percent: int = 75) -> None:
        if not 0 < page_count_policy_percent <= 150:
            raise ValueError(f"page_count_policy_percent={page_count_policy_percent}: give 1 to 150")
        super().__init__(ram_pages)
        self.page_count_policy_percent = page_count_policy_percent

    def device(self, n_slots: int, allocator: Allocator, *secondary: Sizes) -> ZcacheDevice:
        """See `Frontend.device`."""
        rules = arrays.records(1, RULES)
        rules["page_size"] = allocator.page_size
        rules["header"] = HEADER if allocator.records_size else HEADER_WITH_SIZE
        rules["most"] = self.page_count_policy_percent * self._pages // 100 if self._pages else NO_LIMIT
        rules["max_zsize"], rules["max_mean_zsize"] = allocator.page_size // 8 * 7, allocator.page_size // 8 * 5
        return ZcacheDevice(empty_slots(n_slots), rules, arrays.records(1, COUNTS))

    def stats(self, device: ZcacheDevice) -> dict[str, int]:
        """See `Frontend.stats`; and `COUNTS`."""
        return super().stats(device) | counted(device.counts[0])


register_rules(ZcacheDevice, Rules(page_out, page_in, slot_free))
