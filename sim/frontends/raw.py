"""No frontend: every page is compressed and handed to the allocator as it is."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from allocators import Allocator
from allocators.compiled import dispatch
from allocators.compiled.jit import compiled
from sim.frontends.base import Frontend, empty_slots
from sim.frontends.compiled import slots
from sim.frontends.compiled.dispatch import Rules, register_rules
from workloads.traces.sizes import Sizes


class RawDevice(NamedTuple):
    """A device."""

    slots: slots.Slots


@compiled
def page_out(device: RawDevice, allocator: Any, slot: int, page: int, size: int, fill: int) -> int:
    """Store a page of `size` compressed bytes, allocating before the old object is freed; what the slot holds."""
    slots.compress(device.slots)
    return slots.put(device.slots, allocator, slot, dispatch.alloc(allocator, size), size, slots.OBJECT)


@compiled
def page_in(device: RawDevice, allocator: Any, slot: int) -> int:
    """Read a slot; what it holds."""
    return slots.load(device.slots, slot)


@compiled
def slot_free(device: RawDevice, allocator: Any, slot: int) -> int:
    """Free a slot; what it held."""
    return slots.drop(device.slots, allocator, slot)


class Raw(Frontend):
    """Every page is compressed, same-filled ones too, and the object handed over whatever its size."""

    name: ClassVar[str] = "raw"

    def device(self, n_slots: int, allocator: Allocator, *secondary: Sizes) -> RawDevice:
        """See `Frontend.device`."""
        return RawDevice(empty_slots(n_slots))


register_rules(RawDevice, Rules(page_out, page_in, slot_free))
