"""zram's rules: same-filled pages by value, incompressible ones whole, everything else as an object.

Source: drivers/block/zram/zram_drv.c (6.18), measured on a live device: a new object is allocated before the slot's
old one is freed, a same-filled page only frees (`eras` has what other releases do). The largest pool is noted after
each allocation and before the test against the limit (zram_can_store_page), so a write that fails there counts too; it
leaves the slot as it was. What a slot is marked with (idle, incompressible, the algorithm it was compressed by) goes
with what it holds; a read or a write that succeeded makes it no longer idle.

An allocator's own refusal (zsmalloc without a limited zone has none) follows the rule of every frontend instead: the
page lies whole elsewhere, and the old content is freed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from allocators.compiled import dispatch
from allocators.compiled.jit import compiled
from sim.frontends.compiled import slots
from sim.frontends.compiled.dispatch import Rules, register_rules

RULES = np.dtype(
    [
        ("huge", np.int64),  # the compressed size from which a page is kept whole
        ("page_size", np.int64),
        ("limit", np.int64),  # pages that the pool may hold
        ("zeros_apart", np.int64),  # swap core keeps zero pages, in front of zram
        ("backing", np.int64),  # pages that the backing device holds
        ("compressed", np.int64),  # compressed_writeback
        ("zeros_only", np.int64),  # pages of another word than zero are compressed
        ("frees_first", np.int64),  # what a slot held is gone before its new page is compressed
    ],
    align=True,
)
ENTRY = np.dtype(
    [
        ("page", np.int32),  # the number of the page that an object was made of
        ("priority", np.int8),  # of the algorithm: 0 the primary, 1 to 3 those of recompression
        ("idle", np.int8),
        ("incompressible", np.int8),  # no algorithm made it smaller
        ("zero", np.int8),  # a zero page that swap core keeps
        ("compressed", np.int8),  # written back as it was compressed
    ],
    align=True,
)
COUNTS = np.dtype(
    [
        ("most_pages", np.int64),  # the most that the pool has held, seen after each allocation
        ("huge_since", np.int64),  # pages kept whole so far
        ("zeros", np.int64),  # zero pages that swap core keeps now
        ("recompressed", np.int64),  # objects replaced by smaller ones so far, as are:
        ("incompressible", np.int64),  # objects marked so
        ("bd_reads", np.int64),  # pages read from the backing device
        ("bd_writes", np.int64),  # pages written to it
        ("budget", np.int64),  # units of 4 KiB that may still be written there
        ("attempts", np.int64),  # objects that the recompression under way may still try
    ],
    align=True,
)


class ZramDevice(NamedTuple):
    """A device."""

    slots: slots.Slots
    rules: Any  # RULES[1]
    counts: Any  # COUNTS[1]
    entry: Any  # ENTRY[slots]
    class_of: Any  # int64[page_size + 1]: the size class in whose terms recompression has to gain
    secondary: Any  # int32[algorithms, unique pages]: sizes by the algorithms of priority 1, 2, ...


@compiled
def unmark(device: ZramDevice, i: int) -> None:
    """Take all marks off a slot."""
    entry = device.entry[i]
    entry.priority = 0
    entry.idle = 0
    entry.incompressible = 0
    entry.compressed = 0
    if entry.zero:
        entry.zero = 0
        device.counts[0].zeros -= 1


@compiled
def forget(device: ZramDevice, allocator: Any, i: int) -> int:
    """Empty a slot; what it held."""
    unmark(device, i)
    return slots.drop(device.slots, allocator, i)


@compiled
def store(device: ZramDevice, allocator: Any, i: int, page: int, size: int, what: int) -> int:
    """Store an object of `size` bytes in a slot; what became of it."""
    handle = dispatch.alloc(allocator, size)
    if handle >= 0:
        pages = dispatch.pages(allocator)
        counts = device.counts[0]
        counts.most_pages = max(counts.most_pages, pages)
        if pages > device.rules[0].limit:
            dispatch.free(allocator, handle)
            return fail(device.slots, i)
        if what == slots.HUGE:
            counts.huge_since += 1
    forget(device, allocator, i)
    device.entry[i].page = page
    return slots.put(device.slots, allocator, i, handle, size, what)


@compiled
def fail(held: slots.Slots, i: int) -> int:
    """Note a write that failed: a slot in use keeps what it held."""
    if held.slot[i].what == slots.EMPTY:
        return slots.refuse(held, i)
    return slots.count_refusal(held)


@compiled
def page_out(device: ZramDevice, allocator: Any, slot: int, page: int, size: int, fill: int) -> int:
    """Store a page of `size` compressed bytes; what became of it."""
    rules = device.rules[0]
    if rules.frees_first:
        forget(device, allocator, slot)
    if fill == slots.ZERO_FILLED or (fill != slots.MIXED and not rules.zeros_only):
        forget(device, allocator, slot)
        device.slots.slot[slot].what = slots.SAME
        device.slots.tally[0].same_filled += 1
        if rules.zeros_apart and fill == slots.ZERO_FILLED:
            device.entry[slot].zero = 1
            device.counts[0].zeros += 1
        return slots.SAME
    slots.compress(device.slots)
    what = slots.OBJECT
    if size >= rules.huge:
        size, what = rules.page_size, slots.HUGE
    return store(device, allocator, slot, page, size, what)


@compiled
def page_in(device: ZramDevice, allocator: Any, slot: int) -> int:
    """Read a slot; what it holds."""
    what = slots.load(device.slots, slot)
    device.entry[slot].idle = 0
    if what == slots.WRITTEN_BACK:
        device.counts[0].bd_reads += 1
    return what


@compiled
def slot_free(device: ZramDevice, allocator: Any, slot: int) -> int:
    """Free a slot; what it held."""
    return forget(device, allocator, slot)


@compiled
def algorithm(device: ZramDevice, slot: int) -> int:
    """The priority of the algorithm that made the object of a slot, also of one written back as it was; else -1."""
    entry = device.entry[slot]
    return int(entry.priority) if device.slots.slot[slot].what == slots.OBJECT or entry.compressed else -1


register_rules(ZramDevice, Rules(page_out, page_in, slot_free, algorithm))
