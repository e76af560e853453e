"""Swap readahead: a page-in that misses the swap cache also reads the slots around its own.

Source: mm/swap_state.c, swapin_readahead (until 4.13), swap_cluster_readahead: the aligned window of 2**page_cluster
slots, those in use and not in the swap cache already. A page read ahead waits in the swap cache: a later page-in of its
slot finds it there and reads nothing; a write to the slot, or its end, gives it up unused, and so does memory pressure,
modelled as a swap cache of limited size, first in, first out. The kernel narrows the window after useless readahead
(from 3.15) and has one by virtual addresses (from 4.14); both are not modelled. Reading ahead costs time and changes
nothing in the pool.

Neighbours are those of the device: where sparse slots were numbered anew, the windows are those of what they were
called (`workloads.traces.slots`).
"""

from typing import Any, NamedTuple

import numpy as np

from allocators.compiled import dispatch
from allocators.compiled.jit import compiled
from sim.frontends.compiled import dispatch as frontends
from sim.frontends.compiled import slots
from sim.frontends.compiled.slots import EMPTY, HUGE, OBJECT, REFUSED, WRITTEN_BACK
from workloads.traces.events import COMPACT, IN

STATE = np.dtype(
    [
        ("window", np.int64),  # slots read at once
        ("head", np.int64),  # pages read ahead so far
        ("tail", np.int64),  # entries of the ring that have been passed
    ],
    align=True,
)


class Cache(NamedTuple):
    """The swap cache: pages read ahead and not used yet."""

    state: Any  # STATE[1]
    number: Any  # int64[slots]: 1 + the position in the ring at which the slot was read ahead, 0 for not cached
    ring: Any  # int64[cache_pages]: slots, as they were read ahead
    order: Any  # int64[slots]: slots in the order of the device; int64[0] where their numbers are that order
    first: Any  # int64[slots]: where in `order` the window of each slot begins,
    stop: Any  # int64[slots]: and where it ends


@compiled
def forget(cache: Cache, slot: int) -> int:
    """Take a slot out of the cache; whether it was there."""
    there = int(cache.number[slot] != 0)
    cache.number[slot] = 0
    return there


@compiled
def remember(cache: Cache, slot: int) -> int:
    """Put a slot into the cache; the pages given up for it."""
    state, room = cache.state[0], len(cache.ring)
    dropped = 0
    if state.head - state.tail == room:
        oldest = cache.ring[state.tail % room]
        if cache.number[oldest] == state.tail + 1:  # else used or given up since
            cache.number[oldest] = 0
            dropped = 1
        state.tail += 1
    cache.ring[state.head % room] = slot
    state.head += 1
    cache.number[slot] = state.head
    return dropped


@compiled
def read_one(log: Any, device: Any, allocator: Any, slot: int, i: int) -> None:
    """Read one slot ahead, for event `i`."""
    row, entry = log.row[i], device.slots.slot[slot]
    row.ahead += 1
    if entry.what in (OBJECT, HUGE):
        row.ahead_objects += 1
        row.ahead_spans += slots.in_pool(device.slots, slot) and dispatch.spans(allocator, entry.handle)
        if entry.what == HUGE:
            row.ahead_bytes += frontends.reads(device, slot)
    elif entry.what in (REFUSED, WRITTEN_BACK):
        row.ahead_reads += 1
    algorithm = frontends.algorithm(device, slot)
    if algorithm >= 0:
        row.ahead_ns += log.decompress_ns[algorithm, frontends.made_of(device, slot, log.page_of[slot])]
    row.dropped += remember(log.cache, slot)


@compiled
def look(log: Any, device: Any, allocator: Any, kind: int, slot: int, i: int) -> None:
    """Note for event `i`, before it is replayed, what the swap cache has to do with it."""
    row, cache = log.row[i], log.cache
    row.cached = 0
    row.ahead = 0
    row.ahead_objects = 0
    row.ahead_spans = 0
    row.ahead_reads = 0
    row.ahead_bytes = 0
    row.ahead_ns = 0
    row.dropped = 0
    window = cache.state[0].window
    if window == 1 or kind == COMPACT:
        return
    if kind != IN:
        row.dropped = forget(cache, slot)
    elif forget(cache, slot):
        row.cached = 1
    elif device.slots.slot[slot].what != EMPTY:
        numbered = len(cache.order) > 0
        first = cache.first[slot] if numbered else slot // window * window
        stop = cache.stop[slot] if numbered else min(first + window, len(cache.number))
        for k in range(first, stop):
            other = cache.order[k] if numbered else k
            if other != slot and device.slots.slot[other].what != EMPTY and cache.number[other] == 0:
                read_one(log, device, allocator, other, i)
