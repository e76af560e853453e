"""A walk over the events that knows what every slot holds: by batches, with arrays of as many slots as there are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from workloads.traces.events import COMPACT, FREE, IN, LOST, OUT, Events

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Step(NamedTuple):
    """A batch of n events, and what their slots held before each: the contents of a page-out, or nothing.

    `held` bool[n]; and where it is true, of the page-out that wrote the contents: `event` int64[n], its number in the
    trace, `outs` int64[n], how many page-outs came before it, `time_ns` int64[n], and `task` int32[n]. `rank` int64[n]
    are the page-outs before the event itself; `first_read` bool[n], whether it is the first page-in of these contents.
    """

    events: Events
    first: int
    held: Mask
    event: Ints
    outs: Ints
    time_ns: Ints
    task: npt.NDArray[np.int32]
    rank: Ints
    first_read: Mask


class Walk:
    """What the slots hold. A page-out fills a slot; a free empties it, and so does a page-out without contents (lost).

    A lost page-out is one all the same where page-outs are counted. Some 30 bytes of memory a slot used.
    """

    def __init__(self, n_slots: int) -> None:
        self.events = 0
        self.outs = 0
        self.last_ns = 0
        self._writer = np.zeros(n_slots, np.int64)  # 1 + event; zeros take no memory before they are written
        self._outs = np.zeros(n_slots, np.int64)
        self._time = np.zeros(n_slots, np.int64)
        self._task = np.zeros(n_slots, np.int32)
        self._read = np.zeros(n_slots, np.bool_)
        self._used = np.zeros(n_slots, np.bool_)

    def step(self, events: Events) -> Step:
        """Go on by a batch."""
        n, kind, slot = len(events), events.kind, events.slot
        number = self.events + np.arange(n)
        is_out = (kind == OUT) | (kind == LOST)
        rank = self.outs + np.cumsum(is_out) - is_out
        time = np.zeros(n, np.int64) if events.time_ns is None else events.time_ns
        task = np.zeros(n, np.int32) if events.task is None else events.task
        row, before = _writes_before(kind, slot)

        def of_writer(here: npt.NDArray[np.generic], kept: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
            found = kept[slot]
            found[row] = np.where(before >= 0, here[before], found[row])
            return found

        writer: Ints = of_writer(np.where(kind == OUT, number + 1, 0), self._writer)  # type: ignore[assignment]
        writer[kind == COMPACT] = 0
        step = Step(
            events,
            self.events,
            writer > 0,
            writer - 1,
            of_writer(rank, self._outs),  # type: ignore[arg-type]
            of_writer(time, self._time),  # type: ignore[arg-type]
            of_writer(task, self._task),  # type: ignore[arg-type]
            rank,
            self._first_reads(events, row, before, writer),
        )
        writes = np.flatnonzero(is_out | (kind == FREE))  # of several of a slot the last one counts
        at = slot[writes]
        self._writer[at] = np.where(kind[writes] == OUT, number[writes] + 1, 0)
        self._outs[at], self._time[at], self._task[at] = rank[writes], time[writes], task[writes]
        self._read[at] = False
        reads = np.flatnonzero((kind == IN) & (writer > 0))
        reads = reads[writer[reads] == self._writer[slot[reads]]]
        self._read[slot[reads]] = True
        self._used[slot[kind != COMPACT]] = True
        self.events += n
        self.outs += int(np.count_nonzero(is_out))
        self.last_ns = int(time[-1]) if n else self.last_ns
        return step

    @property
    def slots(self) -> int:
        """How many slots the events named so far."""
        return int(np.count_nonzero(self._used))

    def ages(self) -> tuple[Ints, Ints]:
        """Events and ns from the page-outs that wrote what is held now to the last event."""
        held = np.flatnonzero(self._writer)
        return self.events - self._writer[held], self.last_ns - self._time[held]

    def _first_reads(self, events: Events, row: Ints, before: Ints, writer: Ints) -> Mask:
        """Which page-ins are the first of what they read; `row` has the events of each slot together, in order."""
        found = np.zeros(len(events), np.bool_)
        reads = (events.kind[row] == IN) & (writer[row] > 0)
        row, before = row[reads], before[reads]
        new = np.ones(len(row), np.bool_)
        new[1:] = writer[row[1:]] != writer[row[:-1]]
        found[row] = new & ((before >= 0) | ~self._read[events.slot[row]])
        return found


def _writes_before(kind: npt.NDArray[np.uint8], slot: Ints) -> tuple[Ints, Ints]:
    """All rows but compactions, by slot; for each the row of the last write or free of its slot before it, or -1."""
    row = np.flatnonzero(kind != COMPACT)
    row = row[np.argsort(slot[row], kind="stable")]
    if not len(row):
        return row, row
    here = np.arange(len(row))
    first = np.ones(len(row), np.bool_)
    first[1:] = slot[row[1:]] != slot[row[:-1]]
    last = np.maximum.accumulate(np.where(kind[row] != IN, here, -1))
    before = np.concatenate(([-1], last[:-1]))
    mine = before >= np.maximum.accumulate(np.where(first, here, 0))
    return row, np.where(mine, row[before], -1)
