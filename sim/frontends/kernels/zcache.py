"""zcache's rules for persistent pages, those of frontswap: three tests, then an object with a header.

Source: drivers/staging/zcache/zcache-main.c (3.0 to 3.5), zcache_pampd_create; tmem.c, tmem_put: a slot's old page is
freed before anything else. Same-filled pages are pages like any other. A load keeps the page. What is refused goes to
the swap device.
"""

from typing import Any, NamedTuple

import numpy as np

from allocators.jit import kernel
from allocators.kernels import dispatch
from allocators.kernels.codes import NO_MEMORY
from sim.frontends.kernels import slots

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


class Zcache(NamedTuple):
    """A device."""

    slots: slots.Slots
    rules: Any  # RULES[1]
    counts: Any  # COUNTS[1]


@kernel
def accepts(device: Zcache, allocator: Any, size: int) -> bool:
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


@kernel
def page_out(device: Zcache, allocator: Any, slot: int, page: int, size: int, fill: int) -> int:
    """Store a page of `size` compressed bytes; what became of it."""
    slots.drop(device.slots, allocator, slot)
    handle = NO_MEMORY
    if accepts(device, allocator, size):
        handle = dispatch.alloc(allocator, size + device.rules[0].header)
        if handle < 0:
            device.counts[0].failed_alloc += 1
    return slots.put(device.slots, allocator, slot, handle, size, slots.OBJECT)


@kernel
def page_in(device: Zcache, allocator: Any, slot: int) -> int:
    """Read a slot; what it holds."""
    return slots.load(device.slots, slot)


@kernel
def slot_free(device: Zcache, allocator: Any, slot: int) -> int:
    """Free a slot; what it held."""
    return slots.drop(device.slots, allocator, slot)
