"""zram's rules: same-filled pages by value, incompressible ones whole, everything else as an object.

Source: drivers/block/zram/zram_drv.c (6.18), measured on a live device: a new object is allocated before the slot's
old one is freed, a same-filled page only frees. The largest pool is noted after each allocation and before the test
against the limit (zram_can_store_page), so a write that fails there counts too; it leaves the slot as it was.

An allocator's own refusal (zsmalloc without a limited zone has none) follows the rule of every frontend instead: the
page lies whole elsewhere, and the old content is freed.
"""

from typing import Any, NamedTuple

import numpy as np

from allocators.jit import kernel
from allocators.kernels import dispatch
from sim.frontends.kernels import slots

RULES = np.dtype(
    [
        ("huge", np.int64),  # the compressed size from which a page is kept whole
        ("page_size", np.int64),
        ("limit", np.int64),  # pages that the pool may hold
    ],
    align=True,
)
PEAKS = np.dtype(
    [
        ("pages", np.int64),  # the most that the pool has held, seen after each allocation
        ("huge", np.int64),  # pages kept whole so far
    ],
    align=True,
)


class Zram(NamedTuple):
    """A device."""

    slots: slots.Slots
    rules: Any  # RULES[1]
    peaks: Any  # PEAKS[1]


@kernel
def store(device: Zram, allocator: Any, i: int, size: int, what: int) -> int:
    """Store an object of `size` bytes in a slot; what became of it."""
    handle = dispatch.alloc(allocator, size)
    if handle >= 0:
        pages = dispatch.pages(allocator)
        peaks = device.peaks[0]
        peaks.pages = max(peaks.pages, pages)
        if pages > device.rules[0].limit:
            dispatch.free(allocator, handle)
            return fail(device.slots, i)
        if what == slots.HUGE:
            peaks.huge += 1
    return slots.put(device.slots, allocator, i, handle, size, what)


@kernel
def fail(held: slots.Slots, i: int) -> int:
    """Note a write that failed: a slot in use keeps what it held."""
    if held.slot[i].what == slots.EMPTY:
        return slots.refuse(held, i)
    return slots.count_refusal(held)


@kernel
def page_out(device: Zram, allocator: Any, slot: int, page: int, size: int, fill: int) -> int:
    """Store a page of `size` compressed bytes; what became of it."""
    if fill != slots.MIXED:
        slots.drop(device.slots, allocator, slot)
        device.slots.slot[slot].what = slots.SAME
        device.slots.tally[0].same_filled += 1
        return slots.SAME
    what = slots.OBJECT
    if size >= device.rules[0].huge:
        size, what = device.rules[0].page_size, slots.HUGE
    return store(device, allocator, slot, size, what)


@kernel
def page_in(device: Zram, allocator: Any, slot: int) -> int:
    """Read a slot; what it holds."""
    return slots.load(device.slots, slot)


@kernel
def slot_free(device: Zram, allocator: Any, slot: int) -> int:
    """Free a slot; what it held."""
    return slots.drop(device.slots, allocator, slot)
