"""zram's rules of 2010 to 2012: zero pages by value, what does not shrink to 3/4 whole and outside the pool.

Source: drivers/staging/zram/zram_drv.c (2.6.37 to 3.5), zram_bvec_write and zram_free_page. A slot's old content is
freed before anything else, and is gone if the new one finds no memory. Pages of another word than zero are compressed
as any. A page of more than 3/4 of a page compressed gets a page of its own from the page allocator, with xvmalloc
(until 3.3), which takes no whole pages, as with zsmalloc (from 3.4); from 3.6 on it went into zsmalloc's pool. The
header before each object (struct zobj_header) was empty. There was one compression buffer, under one lock, so that
writes took turns.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from allocators import Allocator
from allocators.compiled import arrays, dispatch
from allocators.compiled.jit import compiled
from sim.frontends.base import Frontend, empty_slots
from sim.frontends.compiled import slots
from sim.frontends.compiled.dispatch import Rules, register_rules

RULES = np.dtype([("most", np.int64), ("page_size", np.int64)], align=True)  # most: bytes of an object, compressed


class Zram2012Device(NamedTuple):
    """A device."""

    slots: slots.Slots
    rules: Any  # RULES[1]


@compiled
def page_out(device: Zram2012Device, allocator: Any, slot: int, page: int, size: int, fill: int) -> int:
    """Store a page of `size` compressed bytes; what became of it."""
    held, rules = device.slots, device.rules[0]
    slots.drop(held, allocator, slot)
    if fill == slots.ZERO_FILLED:
        held.slot[slot].what = slots.SAME
        held.tally[0].same_filled += 1
        return slots.SAME
    slots.compress(held)
    if size > rules.most:
        return slots.put_outside(held, slot, rules.page_size)
    return slots.put(held, allocator, slot, dispatch.alloc(allocator, size), size, slots.OBJECT)


@compiled
def page_in(device: Zram2012Device, allocator: Any, slot: int) -> int:
    """Read a slot; what it holds."""
    return slots.load(device.slots, slot)


@compiled
def slot_free(device: Zram2012Device, allocator: Any, slot: int) -> int:
    """Free a slot; what it held."""
    return slots.drop(device.slots, allocator, slot)


def device(zram: Frontend, n_slots: int, allocator: Allocator) -> Zram2012Device:
    """An empty device."""
    rules = arrays.records(1, RULES)
    rules["most"], rules["page_size"] = allocator.page_size // 4 * 3, allocator.page_size
    return Zram2012Device(empty_slots(n_slots), rules)


register_rules(Zram2012Device, Rules(page_out, page_in, slot_free))
