"""No compression: every page goes to the swap device as it is, the baseline of what compressed swap is worth."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from allocators import Allocator
from allocators.compiled.jit import compiled
from sim.frontends.base import Frontend, empty_slots
from sim.frontends.compiled import slots
from sim.frontends.compiled.dispatch import Rules, register_rules
from workloads.traces.sizes import Sizes


class SwapDevice(NamedTuple):
    """A device."""

    slots: slots.Slots


@compiled
def page_out(device: SwapDevice, allocator: Any, slot: int, page: int, size: int, fill: int) -> int:
    """Write a page; it is outside any pool then."""
    slots.drop(device.slots, allocator, slot)
    return slots.refuse(device.slots, slot)


@compiled
def page_in(device: SwapDevice, allocator: Any, slot: int) -> int:
    """Read a slot; what it holds."""
    return slots.load(device.slots, slot)


@compiled
def slot_free(device: SwapDevice, allocator: Any, slot: int) -> int:
    """Free a slot; what it held."""
    return slots.drop(device.slots, allocator, slot)


class Device(Frontend):
    """The swap device alone: nothing is compressed, and no page is held in memory.

    Its runs know no compressor and no allocator. Zero pages are written as any; swap core keeps them by itself from
    6.12 on (mm/page_io.c), which is not modelled here.
    """

    name: ClassVar[str] = "device"
    pools: ClassVar[bool] = False

    def device(self, n_slots: int, allocator: Allocator, *secondary: Sizes) -> SwapDevice:
        """See `Frontend.device`."""
        return SwapDevice(empty_slots(n_slots))


register_rules(SwapDevice, Rules(page_out, page_in, slot_free))
