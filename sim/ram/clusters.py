"""The slots of a swap device, taken and given back as Linux does it: in clusters of 512.

Of Linux 6.18, mm/swapfile.c, for single pages that one CPU swaps out to a device that does not rotate and is not told
of discards. `swap_alloc_fast` goes on behind the slot that was taken last, in its cluster. Else
`cluster_alloc_swap_entry` takes the first cluster of those that became partly free, or the first free one (in 6.12 to
6.17 free ones come first), or the first of the others that have a slot left. A cluster is on the list `FRAG` while
slots are taken from it; any slot given back moves it to `NONFULL` (`partial_free_cluster`), the last one to the end of
the free ones (`free_cluster`). Slot 0 is the header.

A slot is `CACHED` while its page is in memory as well. When more than half of the device is in use (`vm_swap_full`),
such slots are taken back from their pages (`cluster_reclaim_range`, `swap_reclaim_full_clusters`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from allocators.compiled import arrays, lists
from allocators.compiled.ids import NIL
from allocators.compiled.jit import compiled

CLUSTER = 512  # slots: SWAPFILE_CLUSTER on x86-64, HPAGE_PMD_NR
FREE_LIST, NONFULL, FRAG, FULL = 0, 1, 2, 3
EMPTY, USED, CACHED = 0, 1, 2  # of a slot
MOST_BACK = 2 * CLUSTER + 1  # slots taken back for one that is taken

RECORD = np.dtype([("next", np.int32), ("prev", np.int32), ("list", np.int32), ("count", np.int32)], align=True)
STATE = np.dtype(
    [
        ("total", np.int64),  # slots that pages may have
        ("used", np.int64),
        ("next", np.int64),  # where to look first for a free slot; 0 for nowhere
        ("back", np.int64),  # slots taken back that the caller has not looked at
    ],
    align=True,
)


class Clusters(NamedTuple):
    """A swap device."""

    state: Any  # STATE[1]
    cluster: Any  # RECORD[clusters]
    first: Any  # int32[4], by list
    slot: Any  # uint8[slots]
    back: Any  # int32[MOST_BACK]


def new_clusters(n_slots: int) -> Clusters:
    """A device of `n_slots` pages, the header among them, with no page on it (`setup_clusters`)."""
    count = -(-n_slots // CLUSTER)
    cluster, first = arrays.records(count, RECORD), np.full(4, NIL, np.int32)
    slot = np.zeros(count * CLUSTER, np.uint8)
    for unusable in (0, *range(n_slots, len(slot))):
        slot[unusable] = USED
        cluster[unusable // CLUSTER].count += 1
    for one in range(count):
        cluster[one].list = NONFULL if cluster[one].count else FREE_LIST
        lists.append(cluster, first, cluster[one].list, one)
    state = arrays.records(1, STATE)
    state["total"] = n_slots - 1
    return Clusters(state, cluster, first, slot, np.zeros(MOST_BACK, np.int32))


@compiled
def is_full(device: Clusters) -> bool:
    """Whether more than half is in use (`vm_swap_full`)."""
    state = device.state[0]
    return bool((state.total - state.used) * 2 < state.total)


@compiled
def take(device: Clusters) -> int:
    """Take a slot; 0 if none was found, which may be otherwise once slots were taken back."""
    found, at = 0, device.state[0].next
    if at and device.cluster[at // CLUSTER].list != FREE_LIST:
        found = _take_from(device, at // CLUSTER, at)
    while found == 0 and device.first[NONFULL] != NIL and device.state[0].back < CLUSTER:
        found = _take_from_first(device, NONFULL)
    if found == 0 and device.first[FREE_LIST] != NIL:
        found = _take_from_first(device, FREE_LIST)
    if found == 0 and device.first[FULL] != NIL and is_full(device):
        _take_back_all(device, _isolated(device, FULL))
    if found == 0 and device.first[FRAG] != NIL:
        found = _take_from_first(device, FRAG)
    return int(found)


@compiled
def give(device: Clusters, slot: int) -> None:
    """Give a slot back (`swap_entries_free`)."""
    one = slot // CLUSTER
    device.slot[slot] = EMPTY
    device.state[0].used -= 1
    device.cluster[one].count -= 1
    _move(device, one, NONFULL if device.cluster[one].count else FREE_LIST)


@compiled
def _move(device: Clusters, one: int, which: int) -> None:
    """To the end of a list, unless it is there (`move_cluster`)."""
    record = device.cluster[one]
    if record.list != which:
        if record.list != NIL:
            lists.remove(device.cluster, device.first, record.list, one)
        lists.append(device.cluster, device.first, which, one)
        record.list = which


@compiled
def _relocate(device: Clusters, one: int) -> None:
    """To the list that it belongs to after slots were taken from it (`relocate_cluster`)."""
    count = device.cluster[one].count
    _move(device, one, FREE_LIST if count == 0 else FRAG if count < CLUSTER else FULL)


@compiled
def _isolated(device: Clusters, which: int) -> int:
    """Take the first cluster off a list (`isolate_lock_cluster`)."""
    one = device.first[which]
    lists.remove(device.cluster, device.first, which, one)
    device.cluster[one].list = NIL
    return int(one)


@compiled
def _take_from_first(device: Clusters, which: int) -> int:
    """Take a slot from the first cluster of a list (`alloc_swap_scan_list`)."""
    one = _isolated(device, which)
    return _take_from(device, one, one * CLUSTER)


@compiled
def _take_from(device: Clusters, one: int, start: int) -> int:
    """Take the first free slot of a cluster from `start` on, 0 if there is none (`alloc_swap_scan_cluster`)."""
    state, record = device.state[0], device.cluster[one]
    found, end = 0, min((one + 1) * CLUSTER, state.total + 1)
    if record.count < CLUSTER:
        for slot in range(start, end):
            if device.slot[slot] == CACHED and is_full(device):
                _take_back(device, slot)
                if record.count == 0:
                    break  # its table is gone, and it waits with the free ones
            if device.slot[slot] == EMPTY:
                found = slot
                break
    if found:
        device.slot[found] = USED
        state.used += 1
        record.count += 1
    state.next = found + 1 if found and record.count < CLUSTER and found + 1 < end else 0
    _relocate(device, one)
    return found


@compiled
def _take_back(device: Clusters, slot: int) -> None:
    """Take a slot from its page, and note it for the caller (`__try_to_reclaim_swap`)."""
    state = device.state[0]
    device.back[state.back] = slot
    state.back += 1
    give(device, slot)


@compiled
def _take_back_all(device: Clusters, one: int) -> None:
    """Take all slots of a cluster that are cached from their pages (`swap_reclaim_full_clusters`)."""
    for slot in range(one * CLUSTER, (one + 1) * CLUSTER):
        if device.slot[slot] == CACHED:
            _take_back(device, slot)
    if device.cluster[one].list == NIL:
        _relocate(device, one)
