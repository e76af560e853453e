"""Units: pages that were neighbours on the swap device and went out together, so that one block can be made of them.

The kernel swaps out a large folio as one, to adjacent slots (THP_SWAP; folios of 16 KiB and more since 6.10). In a
trace of single pages, a unit of n pages is n page-outs by one task that follow each other among its page-outs and go
to the n slots of one aligned group of the device, in the order of the slots, with no other event on these in between.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from workloads.traces.events import COMPACT, OUT, Events, concat
from workloads.traces.slots import Names, positions

Ints = npt.NDArray[np.int64]
NONE = -1


@dataclass(frozen=True, eq=False)
class Units:
    """The units of `unit` pages in a trace."""

    unit: int
    pages: npt.NDArray[np.int32]  # [units, unit]: the pages of each distinct one, in the order of their slots
    at: Ints  # [n]: the page-outs that belong to a unit, by their numbers in the trace, ascending
    number: npt.NDArray[np.int32]  # [n]: the unit of each, a row of `pages`
    slots: Ints  # [groups, unit]: the slots of each whole aligned group
    group: npt.NDArray[np.int32]  # [slots]: the group of each slot, NONE where the trace has not all slots of it

    def numbered(self, events: Events, start: int, pages: int) -> Events:
        """Events from number `start` of the trace on, where those of a unit have page `pages` + its number."""
        rows = slice(*np.searchsorted(self.at, (start, start + len(events))).tolist())
        page = events.page.copy()
        page[self.at[rows] - start] = pages + self.number[rows]
        return replace(events, page=page)


def no_units(unit: int) -> Units:
    """No unit, on a device without slots."""
    none = np.zeros(0, np.int64)
    empty = none.reshape(0, unit)
    return Units(unit, empty.astype(np.int32), none, none.astype(np.int32), empty, none.astype(np.int32))


def find_units(batches: Iterable[Events], n_slots: int, names: Names | None, page_size: int, unit: int) -> Units:
    """Find them; `names` are the original slots, where the numbers are not those of the device. Holds all events."""
    slots, group, place = _groups(n_slots, names, page_size, unit)
    events = concat([*batches] or [Events.of([], [], [])])
    count = len(events)
    task = np.zeros(count, np.int64) if events.task is None else events.task
    outs = np.flatnonzero(events.kind == OUT)
    touching = np.flatnonzero(events.kind != COMPACT)
    touching = touching[group[events.slot[touching]] != NONE]
    next_out = _next(outs, task[outs], count)
    next_here = _next(touching, group[events.slot[touching]], count)
    joined = (events.kind == OUT) & (next_here == next_out) & (next_here != NONE)
    rows = np.flatnonzero(joined)
    joined[rows] = place[events.slot[next_here[rows]]] == place[events.slot[rows]] + 1
    first = outs[(group[events.slot[outs]] != NONE)]
    members = first[place[events.slot[first]] == 0][:, np.newaxis]
    for _ in range(unit - 1):
        members = members[joined[members[:, -1]]]
        members = np.column_stack((members, next_here[members[:, -1]]))
    distinct, number = np.unique(events.page[members], axis=0, return_inverse=True)
    order = np.argsort(members, axis=None)
    of_events = np.repeat(number.ravel(), unit)[order].astype(np.int32)
    return Units(unit, distinct.astype(np.int32), members.ravel()[order], of_events, slots, group)


def _groups(
    n_slots: int, names: Names | None, page_size: int, unit: int
) -> tuple[Ints, npt.NDArray[np.int32], npt.NDArray[np.int8]]:
    """Slots by group, and the group and the place in it of each slot."""
    at = np.arange(n_slots, dtype=np.uint64) if names is None else positions(names, page_size)
    block = at // np.uint64(unit)
    place = (at % np.uint64(unit)).astype(np.int8)
    _, number, size = np.unique(block, return_inverse=True, return_counts=True)
    whole = size == unit
    group = np.where(whole[number], (np.cumsum(whole) - 1)[number], NONE).astype(np.int32)
    slots = np.empty((int(whole.sum()), unit), np.int64)
    inside = np.flatnonzero(group != NONE)
    slots[group[inside], place[inside]] = inside
    return slots, group, place


def _next(rows: Ints, key: npt.NDArray[np.integer], count: int) -> Ints:
    """For each of `count` events, the next of `rows`, ascending, with the same key; NONE for none and for others."""
    order = rows[np.argsort(key, kind="stable")]
    same = np.diff(np.sort(key, kind="stable")) == 0
    found = np.full(count, NONE, np.int64)
    found[order[:-1][same]] = order[1:][same]
    return found
