"""The calls of a frontend, in compiled code and in plain Python, on any device whose state has rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from allocators.compiled.jit import compiled
from allocators.compiled.rules import RuleTable
from sim.frontends.compiled import slots


@compiled
def only_algorithm(device: Any, slot: int) -> int:
    """Most frontends have one compressor."""
    return 0 if device.slots.slot[slot].what == slots.OBJECT else -1


@compiled
def page_written(device: Any, slot: int, page: int) -> int:
    """Most objects are made of the page that was written to their slot."""
    return page


@compiled
def whole_object(device: Any, slot: int) -> int:
    """Most objects are read whole."""
    return int(device.slots.slot[slot].bytes)


class Rules(NamedTuple):
    """The functions over one class of state, whose field `slots` is a `slots.Slots`. Each returns what a slot holds."""

    # Page number `page` of `size` compressed bytes, filled as `fill` says, goes into a slot; what that holds then.
    page_out: Callable[[Any, Any, int, int, int, int], int]  # device, allocator, slot, page, size, fill
    page_in: Callable[[Any, Any, int], int]  # device, allocator, slot: a slot is read; what it held
    slot_free: Callable[[Any, Any, int], int]  # device, allocator, slot: a slot is freed; what it held
    # device, slot: which compressor made what a read of it decompresses, -1 for nothing
    algorithm: Callable[[Any, int], int] = only_algorithm
    # device, slot, page: the row of the sizes that its object has, if `page` was written last
    made_of: Callable[[Any, int, int], int] = page_written
    reads: Callable[[Any, int], int] = whole_object  # device, slot: bytes of its object that a page-in reads


_TABLE: RuleTable[Rules] = RuleTable()
register_rules = _TABLE.register

page_out = _TABLE.call("page_out")
page_in = _TABLE.call("page_in")
slot_free = _TABLE.call("slot_free")
algorithm = _TABLE.call("algorithm")
made_of = _TABLE.call("made_of")
reads = _TABLE.call("reads")
