"""Page-ins that read nothing: of slots that were never written, or that were free again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from workloads.traces.events import FREE, IN, LOST, OUT, Events

NEVER, HELD, FREED = 0, 1, 2  # of a slot; what a lost page-out wrote is there too


class Empty(NamedTuple):
    """Page-ins of slots never written, and of slots freed since."""

    never_written: int
    freed: int


def empty_reads(batches: Iterable[Events], n_slots: int) -> Empty:
    """Count them by the events alone."""
    state, counts = np.zeros(n_slots, np.int8), np.zeros(3, np.int64)
    for events in batches:
        counts += _counted(events, state)
    return Empty(int(counts[NEVER]), int(counts[FREED]))


def _counted(events: Events, state: npt.NDArray[np.int8]) -> npt.NDArray[np.int64]:
    """Page-ins by the state of their slots; `state` is brought up to date."""
    which = np.flatnonzero(np.isin(events.kind, (OUT, IN, FREE, LOST)))
    which = which[np.argsort(events.slot[which], kind="stable")]
    slot, kind = events.slot[which], events.kind[which]
    if not len(slot):
        return np.zeros(3, np.int64)
    first = np.ones(len(slot), np.bool_)
    first[1:] = slot[1:] != slot[:-1]
    # Before each event: what the last write or free of the slot left, or what it was before this batch.
    after = np.where(kind == IN, np.int8(-1), np.where(kind == FREE, np.int8(FREED), np.int8(HELD)))
    after = np.where(first & (after < 0), state[slot], after)
    at = np.maximum.accumulate(np.where(after >= 0, np.arange(len(after)), 0))
    now = after[at]
    reads = kind == IN  # which leave their slot as it was
    last = np.roll(first, -1)
    counts = np.bincount(now[reads], minlength=3)
    state[slot[last]] = now[last]
    return counts
