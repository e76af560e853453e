"""The ledger: what lies in each slot of the device, and so which events the trace has.

It takes the records of one *epoch* after the other; an epoch ends with a look at pagemap, which names the slots that
the program's pages refer to. From both follows

- whose a page-out is: the backend says it, or pagemap and the device together: a page of the program refers to the
  slot at the end of the epoch, and the slot was not freed since it was written, nor is written in the next
  `ON_ITS_WAY_NS`. (A slot that another program has just given up may be named before the program's own page is written
  there, or for a page of zeros that never is.) A page-out of nobody known is taken for another's, and counted; its
  contents go no further;
- when a slot is freed. A page-in on zram usually frees its slot, but not when other processes still refer to it: the
  next record of the slot decides (a page-out: it was freed; another page-in: it was not), and when there is none, the
  device itself, on which a free slot reads as zeros. A slot that is in use, has no record in the epoch and that no page
  refers to any more is looked up on the device as well. A page-out to a slot in use was preceded by a free;
- which pages of zeros went out. Swap itself keeps them since 6.12 and nothing reaches the device: slots that pagemap
  names although nothing was written to them, nor is in the next `ON_ITS_WAY_NS`. They are free when pagemap no longer
  names them. What went out and came in between two looks is not seen. As part of a large folio zeros do reach the
  device: zeros that were read back are the contents if the slot is read next, or still referred to, and lost if not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from workloads.recorder.neighbours import Mask, Neighbours
from workloads.recorder.records import (
    FOREIGN,
    OURS,
    PAGE_IN,
    PAGE_OUT,
    READ_AS_ZEROS,
    SLOT_FREE,
    UNKNOWN,
    ZERO_IN,
    ZERO_OUT,
    Records,
)
from workloads.recorder.rows import ZERO_PAGE, Epoch, Rows
from workloads.traces.events import FREE, IN, LOST, OUT

EMPTY, HELD, ZERO, OTHERS = 0, 1, 2, 3  # what a slot holds: nothing, a page of ours, one of zeros, another program's
ON_ITS_WAY_NS = 20_000_000  # from the page table entry that names a slot to the write of its page, at most
RECHECK = 8  # epochs after which a slot that nobody refers to and that is in use is looked up again

Probe = Callable[[npt.NDArray[np.int64]], Mask]  # slots, ascending: which were not freed since their last record


@dataclass(frozen=True, eq=False)
class Seen:
    """A look at pagemap: between `begin_ns` and `end_ns` pages of `task` int32[n] referred to `slot` int64[n].

    `soon` int64[m]: the slots that are written in the `ON_ITS_WAY_NS` after it, of use where owners are unknown.
    """

    begin_ns: int
    end_ns: int
    slot: npt.NDArray[np.int64]
    task: npt.NDArray[np.int32]
    soon: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))


class Ledger:
    """The slots of one device. `counts` says what was decided, and on what grounds."""

    def __init__(self, n_slots: int, probe: Probe, sees_frees: bool, sees_zeros: bool) -> None:
        self._probe, self._sees_frees, self._sees_zeros = probe, sees_frees, sees_zeros
        self.state = np.zeros(n_slots, np.uint8)  # EMPTY
        self._last_ns = np.zeros(n_slots, np.int64)  # of the last record
        # What the last look named though nothing was written there.
        self._unwritten = Seen(0, 0, np.empty(0, np.int64), np.empty(0, np.int32))
        self._looked_up = np.zeros(n_slots, np.int64)  # in which epoch
        self._blank = np.zeros(n_slots, np.bool_)  # whether zeros were written to it last
        self._epoch = RECHECK
        self._top = 0  # no slot from here on was ever in use
        self._time_ns = 0
        self.counts: Counter[str] = Counter()

    def close_epoch(self, records: Records, seen: Seen | None, final: bool = False) -> Epoch:
        """Settle all records up to `seen.end_ns`; without a look nothing can be said of unknown owners, nor of frees
        that leave no record. A `final` look finds every slot that is free, if nothing moves any more.
        """
        self._epoch += 1
        slots = (records.slot, seen.slot) if seen else (records.slot,)
        self._top = max(self._top, *(int(slot.max(initial=-1)) + 1 for slot in slots))
        rows = Rows()
        if not self._sees_zeros:
            self._settle_zeros(records, rows)
        page = self._settle(records, seen, rows)
        if seen is not None:
            self._time_ns = max(self._time_ns, seen.end_ns)
            self._look(seen, rows, final)
        return rows.epoch(records, page)

    def _settle_zeros(self, records: Records, rows: Rows) -> None:
        """What the last look named and was not written since then is a page of zeros, from then on."""
        before = self._unwritten
        soon = records.time_ns <= before.end_ns + ON_ITS_WAY_NS
        written = records.slot[soon & ((records.kind == PAGE_OUT) | (records.kind == ZERO_OUT))]
        zero = ~np.isin(before.slot, written) & (self.state[before.slot] == EMPTY)
        slot, task = before.slot[zero], before.task[zero]
        self.state[slot] = ZERO
        self.counts["zero page-outs by pagemap"] += len(slot)
        rows.add_before(OUT, slot, task, before.end_ns)

    def _settle(self, records: Records, seen: Seen | None, rows: Rows) -> npt.NDArray[np.int32]:
        kind, slot, time = records.kind, records.slot, records.time_ns
        near = Neighbours(kind, slot)
        writes = (kind == PAGE_OUT) | (kind == ZERO_OUT)
        reads = (kind == PAGE_IN) | (kind == ZERO_IN)
        mine, given_up = self._mine(records, near, writes, seen)
        held = self._holds_before(near, mine, writes)  # what the slot held before the record
        ours = (held == HELD) | (held == ZERO)
        at = np.flatnonzero
        overwritten = writes & ours
        rows.add(at(overwritten), 0, FREE)
        self.counts["frees by reuse"] += int(overwritten.sum())
        out = at(writes & mine)
        page = self._told_from_zeros(records, near, reads, seen)
        lost = (kind[out] == PAGE_OUT) & (page[out] < 0) & (page[out] != ZERO_PAGE)
        rows.add(out, 1, np.where(lost, LOST, OUT))
        self.counts["zero page-outs"] += int((kind[out] == ZERO_OUT).sum())
        read = at(reads & ours)
        rows.add(read, 1, IN)
        self.counts["page-ins of free slots"] += int((reads & (held == EMPTY)).sum())
        self.counts["records of others"] += int((writes & ~mine).sum() + (reads & (held == OTHERS)).sum())
        free = at((kind == SLOT_FREE) & ours)
        rows.add(free, 1, FREE)
        if not self._sees_frees:
            freed = self._freed_by_page_in(near, reads & (held != EMPTY), writes, slot)
            rows.add(at(freed & ours), 2, FREE)
            self.counts["frees by page-in"] += int((freed & ours).sum())
        else:
            freed = np.zeros(len(kind), np.bool_)
        last = near.last
        after = np.where(kind == ZERO_OUT, ZERO, HELD)
        after = np.where(writes, np.where(mine, after, OTHERS), held)
        after[freed | given_up | (kind == SLOT_FREE)] = EMPTY
        self.state[slot[last]] = after[last]
        self._last_ns[slot[last]] = time[last]
        if len(time):
            self._time_ns = max(self._time_ns, int(time[-1]))
        written = np.flatnonzero((kind == PAGE_OUT) & ~near.later_write(writes))
        self._blank[slot[written]] = _blank(records, page)[written]
        return np.where(kind == ZERO_OUT, ZERO_PAGE, page).astype(np.int32)

    def _told_from_zeros(
        self, records: Records, near: Neighbours, reads: Mask, seen: Seen | None
    ) -> npt.NDArray[np.int32]:
        """The pages of the records; of what read as zeros, those that really are become ZERO_PAGE, the others lost."""
        zeros = records.page == READ_AS_ZEROS
        named = np.zeros(self._top, np.bool_)
        if seen is not None:
            named[seen.slot] = True
        really = zeros & (near.next_is(reads) | (near.last_mask & named[records.slot]))
        self.counts["pages of zeros on the device"] += int(really.sum())
        return np.where(really, ZERO_PAGE, np.where(zeros, -1, records.page)).astype(np.int32)

    def _mine(self, records: Records, near: Neighbours, writes: Mask, seen: Seen | None) -> tuple[Mask, Mask]:
        """Which page-outs are the program's, and which another's that has given up the slot to the program since."""
        mine: Mask = writes & (records.owner == OURS)
        given_up = np.zeros(len(mine), np.bool_)
        unknown = np.flatnonzero(writes & (records.owner == UNKNOWN))
        if len(unknown) and seen is not None:
            named = np.zeros(self._top, np.bool_)
            named[seen.slot] = True
            asked = unknown[named[records.slot[unknown]] & ~near.later_write(writes)[unknown]]
            asked = asked[np.argsort(records.slot[asked])]
            if len(asked):
                asked_slot = records.slot[asked]
                mine[asked] = self._probe(asked_slot) & ~np.isin(asked_slot, seen.soon)
            given_up[asked] = ~mine[asked]
            self.counts["page-outs given to the program by pagemap"] += int(mine[unknown].sum())
        self.counts["page-outs of nobody known"] += int((~mine[unknown]).sum())
        self.counts["page-outs of others"] += int((writes & (records.owner == FOREIGN)).sum())
        return mine, given_up

    def _holds_before(self, near: Neighbours, mine: Mask, writes: Mask) -> npt.NDArray[np.uint8]:
        """What each record's slot held before it: as the epoch began, or as the records before it left it."""
        zero = near.kind == ZERO_OUT
        wrote = np.where(mine, np.where(zero, ZERO, HELD), OTHERS).astype(np.uint8)
        before = near.last_write_before(writes)
        held = np.where(before >= 0, wrote[before], self.state[near.slot]).astype(np.uint8)
        emptied = near.freed_since_write(writes) if self._sees_frees else near.read_then_written(writes)
        held[emptied] = EMPTY
        return held

    def _freed_by_page_in(
        self,
        near: Neighbours,
        reads: Mask,
        writes: Mask,
        slot: npt.NDArray[np.int64],
    ) -> Mask:
        """Which page-ins freed their slot: see the module."""
        freed = reads & near.next_is(writes)
        open_ = np.flatnonzero(reads & near.last_mask)
        order = open_[np.argsort(slot[open_])]
        used = self._probe(slot[order]) if len(order) else np.empty(0, np.bool_)
        freed[order[~used]] = True
        self.counts["page-ins that left their slot in use"] += int((reads & ~freed).sum())
        return freed

    def _look(self, seen: Seen, rows: Rows, final: bool) -> None:
        """What follows from pagemap alone, for slots without a record since the look began."""
        state, slot = self.state[: self._top], seen.slot
        named = np.zeros(self._top, np.bool_)
        named[slot] = True
        quiet = self._last_ns[: self._top] < seen.begin_ns
        if not self._sees_frees:
            due = self._epoch - self._looked_up[: self._top] >= RECHECK
            blank = named & self._blank[: self._top]  # would read as if it were free
            asked = np.flatnonzero(quiet & (state == HELD) & ~blank & (final | (due & ~named)))
            if len(asked):
                used = self._probe(asked)
                self._looked_up[asked[used]] = self._epoch
                self._free(asked[~used], "frees by pagemap", rows)
        if not (self._sees_zeros and self._sees_frees):
            self._free(np.flatnonzero(quiet & ~named & (state == ZERO)), "frees of zero pages", rows)
        first = np.unique(slot, return_index=True)[1]
        slot, task = slot[first], seen.task[first]
        missed = quiet[slot] & (state[slot] == OTHERS)  # taken for another's, but the program refers to it
        self._put(slot[missed], task[missed], LOST, HELD, "page-outs noticed by pagemap only", rows)
        if not self._sees_zeros:
            unwritten = quiet[slot] & (state[slot] == EMPTY)
            if final:  # nothing is on its way any more
                self._put(slot[unwritten], task[unwritten], OUT, ZERO, "zero page-outs by pagemap", rows)
            self._unwritten = Seen(seen.begin_ns, self._time_ns, slot[unwritten], task[unwritten])

    def blank(self) -> int:
        """How many pages of zeros lie on the device."""
        return int((self._blank & (self.state == HELD)).sum())

    def _free(self, slot: npt.NDArray[np.int64], why: str, rows: Rows) -> None:
        self.state[slot] = EMPTY
        self.counts[why] += len(slot)
        rows.add_later(FREE, slot, np.zeros(len(slot), np.int32), self._time_ns)

    def _put(
        self, slot: npt.NDArray[np.int64], task: npt.NDArray[np.int32], kind: int, state: int, why: str, rows: Rows
    ) -> None:
        self.state[slot] = state
        self.counts[why] += len(slot)
        rows.add_later(kind, slot, task, self._time_ns)


def _blank(records: Records, page: npt.NDArray[np.int32]) -> Mask:
    """Which page-outs wrote zeros."""
    blank: Mask = page == ZERO_PAGE
    caught = np.flatnonzero(page >= 0)
    blank[caught] = ~records.content[page[caught]].any(axis=1)
    return blank
