"""Slots are names, not positions: sparse ones are numbered without gaps, and what they were called is kept beside them.

Swap entries, hashes and byte offsets reach to 2**64-1, and a replay has arrays of as many slots as the highest one
tells of. They are numbered in their own order: a scan of the device goes through them as it did. Slots as recordings
of devices have them are left as they are.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.files import REMEDY
from workloads.limits import SLOTS
from workloads.traces.digests import DIGEST_BYTES
from workloads.traces.events import COMPACT, Events

Names = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]

FEW = 1 << 16  # a device of so many slots is small, however few of them are used
GAPS = 16  # a device has at most so many slots for each that is used, and else they are sparse
NEIGHBOURS = 1 << 10  # slots that may be read ahead at once, aligned: what `anonymous` keeps together


def numbering(used: Names) -> Names | None:
    """Return what slots 0, 1, ... are to stand for, ascending, or None if the slots `used`, distinct, can stay."""
    if not len(used) or int(used.max()) < min(SLOTS, max(FEW, GAPS * len(used))):
        return None
    return np.sort(used)


def distinct(slots: Names) -> Names:
    """Return each slot once, ascending; `numpy.unique` hashes, which takes ten times as long where few are equal."""
    every = np.sort(slots)
    new = np.ones(len(every), np.bool_)
    new[1:] = every[1:] != every[:-1]
    return every[new]


def slot_numbers(kind: npt.NDArray[np.uint8], slot: npt.NDArray[Any], names: Names | None) -> Numbers:
    """Return the numbers of slots, int64[n]: where they are in `names`, or as they are; those of compactions stay."""
    if names is None:
        return slot.astype(np.int64)
    return np.where(kind == COMPACT, slot.astype(np.int64), np.searchsorted(names, slot.astype(np.uint64)))


def number_events(events: Events) -> tuple[Events, Names | None]:
    """Number the slots of all events of a trace if they are sparse; and what they were called, if so.

    What a trace refuses, as negative slots, is left as it is.
    """
    slot = events.slot[events.kind != COMPACT]
    if not len(slot) or slot.min() < 0 or slot.max() < FEW:
        return events, None
    names = numbering(distinct(slot.astype(np.uint64)))
    if names is not None:
        events = replace(events, slot=slot_numbers(events.kind, events.slot, names))
    return events, names


def unless_equal(names: Names) -> Names | None:
    """Return what slots were called, None where that is what they are called still."""
    return None if np.array_equal(names, np.arange(len(names), dtype=np.uint64)) else names


def check_original(file: object, names: Names, n_slots: int) -> None:
    """Raise TraceError unless there is one original for each slot, uint64[n_slots], and none twice."""
    if names.dtype != np.uint64 or names.shape != (n_slots,):
        found = f"are {names.dtype}{list(names.shape)}"
        raise TraceError.at(file, "original slots", found, f"give uint64[{n_slots}]")
    order = np.argsort(names, kind="stable")
    twice = names[order[1:]] == names[order[:-1]]
    if twice.any():
        row = int(order[1:][twice].min())
        raise TraceError.at(file, f"row {row}", f"slot {names[row]} is there twice", REMEDY)


def slots_digest(names: Names) -> str:
    """Return the digest of original slots in hex."""
    column = np.ascontiguousarray(names, "<u8")
    return hashlib.blake2b(column.data, digest_size=DIGEST_BYTES).hexdigest()


def positions(names: Names, page_size: int) -> Names:
    """Return where original slots lie on their device, in slots: byte offsets, multiples of a page all, are divided."""
    offsets = not (names % np.uint64(page_size)).any()
    return names // np.uint64(page_size) if offsets else names


def neighbours(positions: Names, window: int) -> tuple[Numbers, Numbers, Numbers]:
    """Return slots in the order of their positions, and for each where in it its aligned window begins and ends."""
    order = np.argsort(positions, kind="stable")
    block = positions // np.uint64(window)
    first = np.searchsorted(block[order], block, "left")
    return (
        order.astype(np.int64),
        first.astype(np.int64),
        np.searchsorted(block[order], block, "right").astype(np.int64),
    )


def anonymous(names: Names, page_size: int) -> Names:
    """Return other names for slots that have the same neighbours, up to `NEIGHBOURS`, and tell nothing else."""
    block, within = np.divmod(positions(names, page_size), np.uint64(NEIGHBOURS))
    _, number, count = np.unique(block, return_inverse=True, return_counts=True)
    alone = count[number] == 1
    return number.astype(np.uint64) * np.uint64(NEIGHBOURS) + np.where(alone, np.uint64(0), within)
