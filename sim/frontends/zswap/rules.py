"""zswap's rules: what becomes of a page-out, a page-in and a free.

Source: mm/zswap.c (5.4, 6.1, 6.6, 6.10, 6.18), mm/frontswap.c (6.1), in all of them:

- Same-filled pages (to 6.11) hold no object, and are not on the list of entries: they are never written back.
- One list of entries (the kernel's, of one control group on one memory node; to 6.7 it has one for all). The shrinker
  that works without a full pool is off by default and is not modelled, nor is the swap cache: an entry whose page was
  just read may be written back.

`device.RULES` lists the differences.
"""

from __future__ import annotations

from typing import Any

from allocators.compiled import dispatch, lists
from allocators.compiled.codes import NO_MEMORY, TOO_LARGE
from allocators.compiled.jit import compiled
from sim.frontends.compiled import slots
from sim.frontends.compiled.dispatch import Rules, register_rules
from sim.frontends.zswap.device import ZswapDevice, enlist, forget, note_size, unlist
from sim.frontends.zswap.reclaim import is_full, work


@compiled
def store(device: ZswapDevice, allocator: Any, slot: int, size: int) -> int:
    """A handle for an object of `size` bytes, or the code of its refusal, which is counted."""
    rules, counts = device.rules[0], device.counts[0]
    if size > rules.page_size:
        counts.reject_compress_fail += 1
        return TOO_LARGE
    handle = dispatch.alloc(allocator, size + rules.header)
    if handle == TOO_LARGE:
        counts.reject_compress_poor += 1
    elif handle < 0:
        counts.reject_alloc_fail += 1
    elif rules.header:
        device.slot_of[handle] = slot
    return handle


@compiled
def page_out(device: ZswapDevice, allocator: Any, slot: int, page: int, size: int, fill: int) -> int:
    """Store a page of `size` compressed bytes; what became of it."""
    rules = device.rules[0]
    if rules.drop_first:
        forget(device, allocator, slot)
    by_value = fill == slots.ZERO_FILLED if rules.zeros_apart else fill != slots.MIXED
    full = not (by_value and rules.zeros_apart) and is_full(device, allocator)
    if by_value and not full:
        forget(device, allocator, slot)
        device.slots.slot[slot].what = slots.SAME
        device.slots.tally[0].same_filled += 1
        note_size(device, allocator)
        return slots.SAME
    what, handle = slots.OBJECT, NO_MEMORY
    if not full:
        slots.compress(device.slots)
        if size >= rules.page_size and rules.keep_whole:
            size, what = rules.page_size, slots.HUGE
        handle = store(device, allocator, slot, size)
    unlist(device, slot)
    what = slots.put(device.slots, allocator, slot, handle, size, what)
    if full:
        device.counts[0].reject_full += 1
        work(device, allocator)
    elif handle >= 0:
        device.entry[slot].referenced = 1
        enlist(device, slot)
        note_size(device, allocator)
    return what


@compiled
def page_in(device: ZswapDevice, allocator: Any, slot: int) -> int:
    """Read a slot; what it held. An exclusive load leaves it empty: the page in memory is the only copy then."""
    rules = device.rules[0]
    what = slots.load(device.slots, slot)
    if rules.exclusive and what not in (slots.REFUSED, slots.WRITTEN_BACK):
        if what != slots.SAME or not rules.zeros_apart:
            forget(device, allocator, slot)
    elif what == slots.OBJECT and not rules.by_pool:
        lists.renew(device.entry, device.oldest, 0, slot)
    return what


@compiled
def slot_free(device: ZswapDevice, allocator: Any, slot: int) -> int:
    """Free a slot; what it held."""
    return forget(device, allocator, slot)


register_rules(ZswapDevice, Rules(page_out, page_in, slot_free))
