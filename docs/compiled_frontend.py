"""A compiled frontend in one file: what compresses poorly stays on the swap device."""

from typing import Any, ClassVar, NamedTuple

import numpy as np

from allocators import Allocator
from allocators.compiled import codes, dispatch
from allocators.compiled.jit import compiled
from sim import register
from sim.frontends.base import Frontend, empty_slots
from sim.frontends.compiled import slots
from sim.frontends.compiled.dispatch import Rules, register_rules


class PickyDevice(NamedTuple):
    """The state: slots, and arrays."""

    slots: slots.Slots
    largest: Any  # int64[1]: compressed bytes up to which a page is taken


@compiled
def page_out(device: PickyDevice, allocator: Any, slot: int, page: int, size: int, fill: int) -> int:
    """See `Rules`, as for all of these."""
    slots.compress(device.slots)
    handle = codes.TOO_LARGE
    if size <= device.largest[0]:
        handle = dispatch.alloc(allocator, size)
    return slots.put(device.slots, allocator, slot, handle, size, slots.OBJECT)


@compiled
def page_in(device: PickyDevice, allocator: Any, slot: int) -> int:
    return slots.load(device.slots, slot)


@compiled
def slot_free(device: PickyDevice, allocator: Any, slot: int) -> int:
    return slots.drop(device.slots, allocator, slot)


register_rules(PickyDevice, Rules(page_out, page_in, slot_free))


@register
class Picky(Frontend):
    """Takes pages that compress to `percent` of a page or less."""

    name: ClassVar[str] = "picky"

    def __init__(self, percent: int = 50) -> None:
        self.percent = percent

    def device(self, n_slots: int, allocator: Allocator, *secondary: Any) -> PickyDevice:
        """See `Frontend.device`."""
        return PickyDevice(empty_slots(n_slots), np.array([allocator.page_size * self.percent // 100]))
