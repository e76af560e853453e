"""The fullest moment of a trace: where allocators are compared, since it is the same for all of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from workloads.traces.events import FREE, LOST, OUT, Events


class Moment(NamedTuple):
    """The first event after which most slots hold a page, of whatever kind, and how many slots those are."""

    event: int
    slots: int


def fullest(batches: Iterable[Events], n_slots: int) -> Moment:
    """Find it by the events alone; event 0 and no slots where nothing is ever held.

    A page-out fills a slot; a free empties it, and so does a page-out whose contents were lost.
    """
    held, before, events = np.zeros(n_slots, np.bool_), 0, 0
    best = Moment(0, 0)
    for batch in batches:
        count = before + _change(batch, held).cumsum()
        top = int(count.argmax()) if len(count) else 0
        if len(count) and count[top] > best.slots:
            best = Moment(events + top, int(count[top]))
        before = int(count[-1]) if len(count) else before
        events += len(batch)
    return best


def _change(events: Events, held: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """How many more slots hold a page after each event than before it; `held` is brought up to date."""
    change = np.zeros(len(events), np.int64)
    which = np.flatnonzero(np.isin(events.kind, (OUT, FREE, LOST)))
    which = which[np.argsort(events.slot[which], kind="stable")]
    slot, full = events.slot[which], events.kind[which] == OUT
    first = np.ones(len(which), np.bool_)
    first[1:] = slot[1:] != slot[:-1]
    was = np.where(first, held[slot], np.roll(full, 1))
    change[which] = full.astype(np.int64) - was
    last = np.roll(first, -1)
    held[slot[last]] = full[last]
    return change
