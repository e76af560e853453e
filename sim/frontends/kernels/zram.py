"""zram's rules: same-filled pages by value, incompressible ones whole, everything else as an object.

Source: drivers/block/zram/zram_drv.c (6.18), measured on a live device: a new object is allocated before the slot's
old one is freed, a same-filled page only frees.
"""

from typing import Any, NamedTuple

import numpy as np

from allocators.jit import kernel
from sim.frontends.kernels import slots

RULES = np.dtype([("huge", np.int64), ("page_size", np.int64)], align=True)


class Zram(NamedTuple):
    """A device."""

    slots: slots.Slots
    rules: Any  # RULES[1]; huge = the compressed size from which a page is kept whole


@kernel
def page_out(device: Zram, allocator: Any, slot: int, size: int, same_filled: bool) -> int:
    """Store a page of `size` compressed bytes; what the slot holds."""
    if same_filled:
        slots.drop(device.slots, allocator, slot)
        device.slots.slot[slot].what = slots.SAME
        device.slots.tally[0].same_filled += 1
        return slots.SAME
    if size >= device.rules[0].huge:
        return slots.store(device.slots, allocator, slot, device.rules[0].page_size, slots.HUGE)
    return slots.store(device.slots, allocator, slot, size, slots.OBJECT)


@kernel
def page_in(device: Zram, allocator: Any, slot: int) -> int:
    """Read a slot; what it holds."""
    return int(device.slots.slot[slot].what)


@kernel
def slot_free(device: Zram, allocator: Any, slot: int) -> int:
    """Free a slot; what it held."""
    return slots.drop(device.slots, allocator, slot)
