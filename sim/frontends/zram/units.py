"""zram with several pages as one block, as posted, with units that lost a page split.

Source: "zram: support compression at the granularity of multi-pages" (T. Zheng and B. Song, RFC of March 2024, v2 and
v4 of November 2024; never merged). What swap writes as one, to adjacent slots, is compressed and stored as one object;
it is same-filled or incompressible as a whole. A read of one of its pages decompresses all of it, into a buffer that is
not kept.

Where this differs: a unit that loses a page, freed or written anew, is split: it is decompressed once more, and each
page that is left is stored by itself (a page of zeros among them is then zram's, not swap core's). As posted, the block
stays until its last page is freed, and a page written into it has it all read, changed and written again; if that set
the flags of pages freed before, their memory was never freed. A unit takes the place of what its slots held when its
first page goes out, so that a unit which finds no room leaves them empty. The limit is not looked at in a split.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from allocators.compiled import dispatch
from allocators.compiled.jit import compiled
from sim.frontends.compiled import slots
from sim.frontends.compiled.dispatch import Rules, register_rules
from sim.frontends.zram import device as single

UNIT = np.dtype(
    [
        ("pages", np.int64),  # of a unit
        ("huge", np.int64),  # the compressed size from which a unit is kept whole
        ("numbers", np.int64),  # of pages; those from here on are of units
        ("writes", np.int64),  # units stored so far, as are:
        ("reads", np.int64),  # reads of compressed objects,
        ("unit_reads", np.int64),  # of those, of units
        ("splits", np.int64),  # units split
    ],
    align=True,
)


class UnitDevice(NamedTuple):
    """A device. A slot of a unit holds the handle and the bytes of the whole."""

    slots: slots.Slots
    rules: Any  # device.RULES[1]
    counts: Any  # device.COUNTS[1]
    entry: Any  # device.ENTRY[slots]; `page` is the number of the page, or of the unit, that an object was made of
    unit: Any  # UNIT[1]
    group: Any  # int32[slots]: see `workloads.traces.units.Units`, as are:
    members: Any  # int64[groups, unit]
    pages: Any  # int32[units, unit]
    size: Any  # int32[pages and units]: compressed, as are:
    fill: Any  # int8[pages and units]: what they are filled with
    compress_ns: Any  # int64[pages and units]
    decompress_ns: Any  # int64[pages and units]


@compiled
def in_unit(device: Any, i: int) -> bool:
    """Whether a slot holds a part of a unit."""
    stored = slots.in_pool(device.slots, i)
    return bool(stored and device.entry[i].page >= device.unit[0].numbers)


@compiled
def release(device: Any, allocator: Any, i: int) -> None:
    """Empty all slots of the unit that a slot is in."""
    held, pages, slot = device.slots, device.unit[0].pages, device.slots.slot[i]
    tally = held.tally[0]
    dispatch.free(allocator, slot.handle)
    tally.objects -= pages
    tally.bytes -= slot.bytes
    if slot.what == slots.HUGE:
        tally.huge -= 1
    for k in range(pages):
        member = device.members[device.group[i], k]
        single.unmark(device, member)
        held.slot[member].what = slots.EMPTY


@compiled
def clear(device: Any, allocator: Any, i: int) -> None:
    """Empty all slots of the group of a slot."""
    for k in range(device.unit[0].pages):
        member = device.members[device.group[i], k]
        if in_unit(device, member):
            release(device, allocator, member)
        else:
            single.forget(device, allocator, member)


@compiled
def restore(device: Any, allocator: Any, i: int, page: int) -> None:
    """Store a page of a unit that was split, in an empty slot."""
    held = device.slots
    tally = held.tally[0]
    device.entry[i].page = page
    if device.fill[page] != slots.MIXED:
        held.slot[i].what = slots.SAME
        tally.same_filled += 1
        return
    tally.split_pages += 1
    tally.split_compress_ns += device.compress_ns[page]
    what, size = slots.OBJECT, int(device.size[page])
    if size >= device.rules[0].huge:
        size, what = int(device.rules[0].page_size), slots.HUGE
    handle = dispatch.alloc(allocator, size)
    device.counts[0].most_pages = max(device.counts[0].most_pages, dispatch.pages(allocator))
    if handle < 0:
        slots.refuse(held, i)
        return
    tally.split_bytes += size
    device.counts[0].huge_since += what == slots.HUGE
    slots.hold(held, i, handle, size, what)


@compiled
def split(device: Any, allocator: Any, lost: int) -> int:
    """Split the unit that a slot is in, whose page is lost; what the slot held."""
    what, number = int(device.slots.slot[lost].what), int(device.entry[lost].page)
    device.unit[0].splits += 1
    if what == slots.OBJECT:
        device.slots.tally[0].split_decompress_ns += device.decompress_ns[number]
    release(device, allocator, lost)
    for k in range(device.unit[0].pages):
        member = device.members[device.group[lost], k]
        if member != lost:
            restore(device, allocator, member, device.pages[number - device.unit[0].numbers, k])
    return what


@compiled
def store(device: Any, allocator: Any, i: int, number: int, size: int, what: int) -> int:
    """Store a unit of `size` bytes in the slots of a group, which are empty; what became of it."""
    held, unit, counts = device.slots, device.unit[0], device.counts[0]
    handle = dispatch.alloc(allocator, size)
    if handle >= 0:
        counts.most_pages = max(counts.most_pages, dispatch.pages(allocator))
        if dispatch.pages(allocator) > device.rules[0].limit:
            dispatch.free(allocator, handle)
            handle = -1
    for k in range(unit.pages):
        member = device.members[device.group[i], k]
        if handle < 0:
            slots.refuse(held, member)
            continue
        slot = held.slot[member]
        slot.what, slot.bytes, slot.handle = what, size, handle
        device.entry[member].page = number
    if handle < 0:
        return slots.REFUSED
    tally = held.tally[0]
    tally.objects += unit.pages
    tally.bytes += size
    if what == slots.HUGE:
        tally.huge += 1
        counts.huge_since += 1
    unit.writes += 1
    return what


@compiled
def page_out(device: Any, allocator: Any, slot: int, page: int, size: int, fill: int) -> int:
    """Store a page, or number `page` of a unit: with its last page, for which the others wait; what becomes of it."""
    unit = device.unit[0]
    if page < unit.numbers:
        if in_unit(device, slot):
            split(device, allocator, slot)
        return single.page_out(device, allocator, slot, page, size, fill)
    members = device.members[device.group[slot]]
    if slot == members[0]:
        clear(device, allocator, slot)
    if fill != slots.MIXED:  # none of them waits
        return single.page_out(device, allocator, slot, page, size, fill)
    slots.compress(device.slots)
    what = slots.OBJECT
    if size >= unit.huge:
        size, what = unit.pages * device.rules[0].page_size, slots.HUGE
    if slot != members[unit.pages - 1]:
        return what
    return store(device, allocator, slot, page, size, what)


@compiled
def page_in(device: Any, allocator: Any, slot: int) -> int:
    """Read a slot; what it holds."""
    what = single.page_in(device, allocator, slot)
    if what == slots.OBJECT:
        device.unit[0].reads += 1
        device.unit[0].unit_reads += in_unit(device, slot)
    return what


@compiled
def slot_free(device: Any, allocator: Any, slot: int) -> int:
    """Free a slot; what it held."""
    if in_unit(device, slot):
        return split(device, allocator, slot)
    return single.forget(device, allocator, slot)


@compiled
def made_of(device: Any, slot: int, page: int) -> int:
    """The number of the page or of the unit that the object of a slot was made of."""
    return int(device.entry[slot].page)


@compiled
def reads(device: Any, slot: int) -> int:
    """Bytes that are read for the page of a slot: all of a compressed unit, only its own of one kept whole."""
    held = device.slots.slot[slot]
    return int(min(held.bytes, device.rules[0].page_size) if held.what == slots.HUGE else held.bytes)


register_rules(UnitDevice, Rules(page_out, page_in, slot_free, single.algorithm, made_of, reads))
