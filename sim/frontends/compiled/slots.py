"""The slots of a swap device and what lies in them, with a running count."""

from typing import Any, NamedTuple

import numpy as np

from allocators.compiled import dispatch
from allocators.compiled.jit import compiled

# What a slot holds; also the outcome of an event: what was stored, read or freed.
EMPTY = 0
OBJECT = 1  # a compressed page
SAME = 2  # a same-filled page: its value only
HUGE = 3  # an incompressible page, kept whole as an object
REFUSED = 4  # a page that the pool did not take: it stays a whole page elsewhere
WRITTEN_BACK = 5  # a page that was in the pool and was moved to the swap device
WHAT = ("empty", "object", "same_filled", "huge", "refused", "written_back")

# What a page is filled with: how many of `same_filled` and `zero_filled` it is.
MIXED = 0
SAME_FILLED = 1  # one machine word over and over, not zero
ZERO_FILLED = 2

OUTSIDE = -1  # the handle of a page that is kept whole outside the pool

SLOT = np.dtype([("what", np.int32), ("bytes", np.int32), ("handle", np.int32)], align=True)
TALLY = np.dtype(
    [
        ("objects", np.int64),  # pages in live objects, huge ones included
        ("bytes", np.int64),  # their stored bytes
        ("same_filled", np.int64),  # live slots
        ("huge", np.int64),
        ("refused", np.int64),
        ("written_back", np.int64),
        ("outside", np.int64),  # huge ones in pages of their own, outside the pool
        ("refusals", np.int64),  # so far, as are:
        ("device_reads", np.int64),  # pages read from the swap device
        ("device_writes", np.int64),  # pages written to it, refused ones included
        ("compressions", np.int64),  # pages compressed
        ("split_pages", np.int64),  # pages compressed again, by themselves, out of units that were split; and
        ("split_bytes", np.int64),  # what was stored of them,
        ("split_compress_ns", np.int64),  # the time it took,
        ("split_decompress_ns", np.int64),  # and that to decompress the units
    ],
    align=True,
)


class Slots(NamedTuple):
    """All slots of a device."""

    slot: Any  # SLOT[slots]
    tally: Any  # TALLY[1]


@compiled
def in_pool(slots: Slots, i: int) -> bool:
    """Whether a slot holds an object of the allocator's."""
    slot = slots.slot[i]
    return slot.what in (OBJECT, HUGE) and slot.handle != OUTSIDE


@compiled
def drop(slots: Slots, allocator: Any, i: int) -> int:
    """Empty a slot; what it held."""
    if in_pool(slots, i):
        dispatch.free(allocator, slots.slot[i].handle)
    return lose(slots, i)


@compiled
def lose(slots: Slots, i: int) -> int:
    """Empty a slot, of which the allocator holds nothing any more; what it held."""
    slot, tally = slots.slot[i], slots.tally[0]
    what = int(slot.what)
    if what in (OBJECT, HUGE):
        if slot.handle == OUTSIDE:
            tally.outside -= 1
        tally.objects -= 1
        tally.bytes -= slot.bytes
        if what == HUGE:
            tally.huge -= 1
    elif what == SAME:
        tally.same_filled -= 1
    elif what == REFUSED:
        tally.refused -= 1
    elif what == WRITTEN_BACK:
        tally.written_back -= 1
    slot.what = EMPTY
    return what


@compiled
def compress(slots: Slots) -> None:
    """Count a page that is compressed before it is known whether it is taken."""
    slots.tally[0].compressions += 1


@compiled
def write_back(slots: Slots, allocator: Any, i: int) -> None:
    """Move the object of a slot to the device."""
    drop(slots, allocator, i)
    note_written_back(slots, i)


@compiled
def note_written_back(slots: Slots, i: int) -> None:
    """Note in an empty slot that its page was moved to the device."""
    slots.slot[i].what = WRITTEN_BACK
    slots.tally[0].written_back += 1
    slots.tally[0].device_writes += 1


@compiled
def refuse(slots: Slots, i: int) -> int:
    """Note in an empty slot that its page was not taken."""
    slots.slot[i].what = REFUSED
    slots.tally[0].refused += 1
    return count_refusal(slots)


@compiled
def count_refusal(slots: Slots) -> int:
    """Count a page-out that was not taken."""
    slots.tally[0].refusals += 1
    slots.tally[0].device_writes += 1
    return REFUSED


@compiled
def load(slots: Slots, i: int) -> int:
    """Read a slot; what it holds."""
    what = int(slots.slot[i].what)
    if what in (REFUSED, WRITTEN_BACK):
        slots.tally[0].device_reads += 1
    return what


@compiled
def put(slots: Slots, allocator: Any, i: int, handle: int, size: int, what: int) -> int:
    """Free what a slot holds and give it a new object of `size` bytes, refused if `handle` < 0; what it holds."""
    drop(slots, allocator, i)
    if handle < 0:
        return refuse(slots, i)
    return hold(slots, i, handle, size, what)


@compiled
def put_outside(slots: Slots, i: int, size: int) -> int:
    """Keep a page of `size` bytes whole in an empty slot, in a page of its own; what the slot holds."""
    slots.tally[0].outside += 1
    return hold(slots, i, OUTSIDE, size, HUGE)


@compiled
def hold(slots: Slots, i: int, handle: int, size: int, what: int) -> int:
    """Give an empty slot an object; what it holds."""
    slot, tally = slots.slot[i], slots.tally[0]
    slot.what = what
    slot.bytes = size
    slot.handle = handle
    tally.objects += 1
    tally.bytes += size
    if what == HUGE:
        tally.huge += 1
    return what
