"""For each record of a batch: what came before and after it in the same slot."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workloads.recorder.records import SLOT_FREE

Mask = npt.NDArray[np.bool_]


class Neighbours:
    """`kind` uint8[n], `slot` int64[n] in the order of time; all answers are arrays of n."""

    def __init__(self, kind: npt.NDArray[np.uint8], slot: npt.NDArray[np.int64]) -> None:
        self.kind, self.slot = kind, slot
        self._order = np.argsort(slot, kind="stable")
        ordered = slot[self._order]
        same = ordered[1:] == ordered[:-1]
        self._next = np.full(len(slot), -1, np.int64)
        self._next[self._order[:-1][same]] = self._order[1:][same]
        self._first = np.ones(len(slot), np.bool_)  # in `_order`: a slot begins here
        self._first[1:] = ~same

    @property
    def last_mask(self) -> Mask:
        """Whether it is the last record of its slot."""
        return self._next < 0

    @property
    def last(self) -> npt.NDArray[np.int64]:
        """The rows that are the last of their slots."""
        return np.flatnonzero(self.last_mask)

    def next_is(self, what: Mask) -> Mask:
        """Whether the next record of the slot is one of `what`."""
        return (self._next >= 0) & what[self._next]

    def last_write_before(self, writes: Mask) -> npt.NDArray[np.int64]:
        """The row of the last write to the slot before this one, -1 when there is none."""
        return self._latest_before(writes, np.where(writes)[0])

    def later_write(self, writes: Mask) -> Mask:
        """Whether the slot is written again later."""
        after = np.zeros(len(self.slot), np.bool_)
        before = self.last_write_before(writes)
        again = before[writes]
        after[again[again >= 0]] = True
        return after

    def read_then_written(self, writes: Mask) -> Mask:
        """Whether it is a write whose slot's previous record is not a write: that page-in has freed it."""
        previous = np.full(len(self.slot), -1, np.int64)
        known = self._next >= 0
        previous[self._next[known]] = np.flatnonzero(known)
        return writes & (previous >= 0) & ~writes[previous]

    def freed_since_write(self, writes: Mask) -> Mask:
        """Whether the slot was freed after the last write to it."""
        freed = self._latest_before(self.kind == SLOT_FREE, np.where(self.kind == SLOT_FREE)[0])
        return freed > self.last_write_before(writes)

    def _latest_before(self, what: Mask, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The last row of `what` in the same slot before each row, -1 when there is none."""
        found = np.full(len(self.slot), -1, np.int64)
        if not len(rows):
            return found
        # Within `_order` positions grow; the latest of `what` so far, unless it lies before the slot's beginning.
        position = np.arange(len(self._order))
        latest = np.maximum.accumulate(np.where(what[self._order], position, -1))
        before = np.append(-1, latest[:-1])
        begin = np.maximum.accumulate(np.where(self._first, position, 0))
        inside = before >= begin
        found[self._order[inside]] = self._order[before[inside]]
        return found
