"""The state of a zswap device: its slots, its entries by age, and what it has counted."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from allocators.compiled import dispatch, lists
from allocators.compiled.jit import compiled
from sim.frontends.compiled import slots

RULES = np.dtype(
    [
        ("page_size", np.int64),
        ("full_from", np.int64),  # pages held from which the pool is full
        ("accept_to", np.int64),  # pages held up to which a pool that was full takes pages again
        ("header", np.int64),  # bytes before each object, where the pool reclaims
        ("drop_first", np.int64),  # a slot's old entry is freed before anything else (to 6.8), else behind the new one
        ("by_pool", np.int64),  # the pool chooses what is written back, a page of its own at a time (to 6.4)
        ("at_once", np.int64),  # and does so in the page-out that finds it full, which is taken then (to 5.5)
        ("exclusive", np.int64),  # a load frees its entry (from 6.9), else it makes it the youngest
        ("zeros_apart", np.int64),  # swap core keeps zero pages, in front of zswap (from 6.12)
        ("second_chance", np.int64),  # the worker spares an entry once (from 6.12)
        ("keep_whole", np.int64),  # an incompressible page is stored as it is (from 6.18)
    ],
    align=True,
)
STATE = np.dtype(
    [
        ("reached_full", np.int64),  # whether the pool is refusing pages since it was full
        ("noted", np.int64),  # pages it held when an entry was last stored or freed: what is compared with the limit
    ],
    align=True,
)
ENTRY = np.dtype([("next", np.int32), ("prev", np.int32), ("referenced", np.int32)], align=True)
COUNTS = np.dtype(
    [
        ("pool_limit_hit", np.int64),  # page-outs that found the pool at its limit
        ("reject_full", np.int64),  # page-outs refused because the pool was full, or had been
        ("reject_reclaim_fail", np.int64),  # runs of reclaim for which the pool had no page (to 6.4)
        (
            "reject_compress_fail",
            np.int64,
        ),  # page-outs refused because the page got larger; so counted by the kernel since 6.8
        ("reject_compress_poor", np.int64),  # because the allocator takes no object of that size
        ("reject_alloc_fail", np.int64),  # because the allocator had no memory
        ("written_back", np.int64),  # entries moved to the device
        ("spared", np.int64),  # second chances given
    ],
    align=True,
)


class ZswapDevice(NamedTuple):
    """A device."""

    slots: slots.Slots
    rules: Any  # RULES[1]
    state: Any  # STATE[1]
    counts: Any  # COUNTS[1]
    entry: Any  # ENTRY[slots]: from 6.5 the slots that hold an object, listed from the oldest
    oldest: Any  # int32[1]
    slot_of: Any  # int32[handles]: the slot of each object of a pool that reclaims
    handles: Any  # int64[objects_reclaimed]: of the page that is being reclaimed


@compiled
def enlist(device: ZswapDevice, i: int) -> None:
    """Make a slot the youngest on the list of entries."""
    if not device.rules[0].by_pool:
        lists.append(device.entry, device.oldest, 0, i)


@compiled
def unlist(device: ZswapDevice, i: int) -> None:
    """Take a slot off the list of entries, if it is on it."""
    if device.slots.slot[i].what in (slots.OBJECT, slots.HUGE) and not device.rules[0].by_pool:
        lists.remove(device.entry, device.oldest, 0, i)


@compiled
def forget(device: ZswapDevice, allocator: Any, i: int) -> int:
    """Empty a slot; what it held."""
    unlist(device, i)
    what = slots.drop(device.slots, allocator, i)
    if what in (slots.OBJECT, slots.HUGE, slots.SAME):
        note_size(device, allocator)
    return what


@compiled
def note_size(device: ZswapDevice, allocator: Any) -> None:
    """Note the size of the pool, when an entry was stored or freed (zswap_update_total_size)."""
    device.state[0].noted = dispatch.pages(allocator)
