"""The scans of zram's post-processing, compiled: idle marks, recompression and writeback.

Source: drivers/block/zram/zram_drv.c (6.18), mark_idle, scan_slots_for_recompress, scan_slots_for_writeback,
recompress_slot and zram_writeback_slots; for compressed writeback that of 7.2.
"""

from typing import Any

from allocators.compiled import dispatch
from allocators.compiled.borrow import borrow
from allocators.compiled.jit import compiled, entry
from sim.frontends.compiled import slots
from sim.frontends.zram.device import forget, unmark


@compiled
def holds_object(device: Any, i: int) -> bool:
    """Whether a slot holds an object."""
    what = device.slots.slot[i].what
    return bool(what == slots.OBJECT or what == slots.HUGE)


@entry
def mark_idle(device: Any) -> None:
    """Mark all objects idle."""
    device = borrow(device)
    for i in range(len(device.entry)):
        if holds_object(device, i):
            device.entry[i].idle = 1


@entry
def choose(device: Any, idle: bool, huge: bool, incompressible: bool, below: int, chosen: Any) -> int:
    """Write the slots that hold an object, and are all that is asked for, to `chosen`, the highest first; how many.

    With `below` more than 0: those that an algorithm of a lower number than it, and higher than their own, may improve.
    """
    device, chosen = borrow(device), borrow(chosen)
    count = 0
    for i in range(len(device.entry) - 1, -1, -1):
        marks = device.entry[i]
        if not holds_object(device, i) or (idle and not marks.idle) or (incompressible and not marks.incompressible):
            continue
        if huge and device.slots.slot[i].what != slots.HUGE:
            continue
        if below > 0 and (marks.incompressible or marks.priority + 1 >= below):
            continue
        chosen[count] = i
        count += 1
    return count


@compiled
def better(device: Any, i: int, first: int, end: int, threshold: int) -> int:
    """The first algorithm from `first` to `end` - 1 that makes the object of a slot small enough; `end` if none does.

    Small enough is a lower size class, and less than the threshold, if there is one.
    """
    page, page_size = device.entry[i].page, device.rules[0].page_size
    old = device.class_of[device.slots.slot[i].bytes]
    for priority in range(max(first, device.entry[i].priority + 1), end):
        size = device.secondary[priority - 1, page]
        if device.class_of[min(size, page_size)] < old and not (threshold > 0 and size >= threshold):
            return priority
    return end


@entry
def recompress(allocator: Any, device: Any, chosen: Any, first: int, end: int, threshold: int, start: int) -> int:
    """Recompress the slots `chosen`, int64[n], from number `start` on, by the algorithms `first` to `end` - 1.

    Where it stopped because the allocator's arrays must grow, else n. A slot that is tried is no longer idle. The
    largest pool is not noted here, and the limit not looked at. What none of the algorithms improves is marked
    incompressible if the last of all was among them. An allocation that fails ends it.
    """
    device, allocator, chosen = borrow(device), borrow(allocator), borrow(chosen)
    counts = device.counts[0]
    algorithms = 1 + len(device.secondary)
    for k in range(start, len(chosen)):
        if counts.attempts == 0:
            break
        if not dispatch.has_room(allocator):
            return k
        i = chosen[k]
        if device.slots.slot[i].bytes < threshold:
            continue
        device.entry[i].idle = 0
        counts.attempts -= 1
        priority = better(device, i, first, end, threshold)
        if priority < end:
            size = device.secondary[priority - 1, device.entry[i].page]
            handle = dispatch.alloc(allocator, size)
            if handle < 0:
                break
            forget(device, allocator, i)
            slots.put(device.slots, allocator, i, handle, size, slots.OBJECT)
            device.entry[i].priority = priority
            counts.recompressed += 1
        elif end == algorithms:
            device.entry[i].incompressible = 1
            counts.incompressible += 1
    return len(chosen)


@entry
def write_back(allocator: Any, device: Any, chosen: Any, blocks: int, start: int) -> int:
    """Move the slots `chosen`, int64[n], to the backing device until the budget is used up or the device full; n.

    `blocks` of 4 KiB are what a page takes from the budget, whether or not it goes there compressed: a write is
    a page long all the same, and what a slot was compressed by is kept for its reads (6.19 on).
    """
    device, allocator, chosen = borrow(device), borrow(allocator), borrow(chosen)
    counts, tally, entry = device.counts[0], device.slots.tally[0], device.entry
    for k in range(start, len(chosen)):
        if counts.budget < blocks or tally.written_back >= device.rules[0].backing:
            break
        i = chosen[k]
        compressed, priority = (
            device.rules[0].compressed and device.slots.slot[i].what == slots.OBJECT,
            entry[i].priority,
        )
        unmark(device, i)
        slots.write_back(device.slots, allocator, i)
        if compressed:
            entry[i].compressed = 1
            entry[i].priority = priority
        counts.budget -= blocks
        counts.bd_writes += 1
    return len(chosen)
