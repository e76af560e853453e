"""No frontend: every page is compressed and handed to the allocator as it is."""

from typing import Any, NamedTuple

from allocators.jit import kernel
from allocators.kernels import dispatch
from sim.frontends.kernels import slots


class Raw(NamedTuple):
    """A device."""

    slots: slots.Slots


@kernel
def page_out(device: Raw, allocator: Any, slot: int, page: int, size: int, fill: int) -> int:
    """Store a page of `size` compressed bytes, allocating before the old object is freed; what the slot holds."""
    slots.compress(device.slots)
    return slots.put(device.slots, allocator, slot, dispatch.alloc(allocator, size), size, slots.OBJECT)


@kernel
def page_in(device: Raw, allocator: Any, slot: int) -> int:
    """Read a slot; what it holds."""
    return slots.load(device.slots, slot)


@kernel
def slot_free(device: Raw, allocator: Any, slot: int) -> int:
    """Free a slot; what it held."""
    return slots.drop(device.slots, allocator, slot)
