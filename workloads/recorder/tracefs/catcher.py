"""Decides from times alone which page each page-out wrote.

A page-out k of a slot is queued at q(k), then written. Its contents are read from the device after the event that says
that it was written; the read is over at r. The page read is k's if no other page-out of the slot was queued by r: a
page is read and written as a whole, a free slot reads as zeros, and pages of zeros never reach the device since 6.12.
So k is *lost* when zeros were read (but see below), when the next page-out of the slot was queued at or before r, or
before anything was read. The decision waits until all events up to r are known.

A thread of the program writes the program's pages, as its cgroup is reclaimed from; but while it reclaims for the whole
machine it writes anybody's: then its page-outs are UNKNOWN, as those of other threads are.

Zeros do reach the device as part of a large folio that is not all zeros, and before 6.12 always. There zeros that were
read are either the contents, or the slot was free by then: READ_AS_ZEROS, for the ledger to settle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from workloads.recorder.records import DTYPES, OURS, PAGE_IN, PAGE_OUT, READ_AS_ZEROS, UNKNOWN, Records
from workloads.recorder.tracefs.ringbuffer import (
    EVENT,
    FORKED,
    QUEUED_IN,
    QUEUED_OUT,
    RECLAIM_BEGINS,
    RECLAIM_ENDS,
    WRITTEN,
    Events,
)

Read = Callable[
    [npt.NDArray[np.int64]], tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.bool_]]
]  # as `workloads.host.direct.SlotReader.read`

ON_ITS_WAY, THERE, READ, ZEROS, LOST = 0, 1, 2, 3, 4  # of a page-out
PATIENCE_NS = 1_000_000_000  # for the event that says that a page was written
DOUBT_NS = 2_000_000_000  # a reclaim whose beginning was missed has ended by then

SEEN = np.dtype(
    [
        ("time_ns", np.int64),
        ("slot", np.int64),
        ("read_ns", np.int64),
        ("pid", np.int32),
        ("batch", np.int32),  # where its contents lie
        ("row", np.int32),
        ("kind", np.uint8),
        ("owner", np.int8),
        ("state", np.uint8),
        ("may_be_zero", np.bool_),
    ]
)


class Catcher:
    """Takes events, reads what was written, hands over records once they are decided."""

    def __init__(
        self, read: Read, n_slots: int, page_size: int, threads: Iterable[int], zeros_apart: bool = True
    ) -> None:
        """`threads` are those of the program at the start; their children follow from fork events.

        `zeros_apart`: whether swap keeps pages of zeros from the device, as since 6.12.
        """
        self._zeros_apart = zeros_apart
        self._read, self._page_size = read, page_size
        self._threads = set(threads)
        self._waiting: Any = np.zeros(0, SEEN)  # in the order of time
        self._written = np.zeros(n_slots, np.int64)  # when a page-out of the slot was last known to be over
        self._contents: dict[int, npt.NDArray[np.uint8]] = {}
        self._batch = 0
        self._reclaims: Any = np.zeros(0, EVENT)  # beginnings and ends, as yet without effect
        self._reclaiming: set[int] = set()  # threads
        self._latest_ns = self._doubted_ns = 0

    def take(self, events: Events) -> None:
        """Take EVENT[n], in the order of time; later calls may bring some that are a little earlier."""
        self._forked(events[events["what"] == FORKED])
        reclaims = events[(events["what"] == RECLAIM_BEGINS) | (events["what"] == RECLAIM_ENDS)]
        self._reclaims = np.concatenate([self._reclaims, reclaims])
        self._latest_ns = max(self._latest_ns, int(events["time_ns"].max(initial=0)))
        bios = events[events["what"] <= QUEUED_IN]
        pages = bios["pages"]
        first = np.repeat(np.cumsum(pages) - pages, pages)
        each = np.repeat(bios, pages)
        each["slot"] += np.arange(len(each)) - first
        over = each[each["what"] == WRITTEN]
        self._written[over["slot"]] = over["time_ns"]  # the last of a slot counts
        queued = each[each["what"] != WRITTEN]
        new = np.zeros(len(queued), SEEN)
        for name in ("time_ns", "slot", "pid"):
            new[name] = queued[name]
        new["kind"] = np.where(queued["what"] == QUEUED_OUT, PAGE_OUT, PAGE_IN)
        ours = np.isin(queued["pid"], np.fromiter(self._threads, np.int64)) & (queued["what"] == QUEUED_OUT)
        new["owner"] = np.where(ours, OURS, UNKNOWN)
        new["may_be_zero"] = (queued["pages"] > 1) | (not self._zeros_apart)
        waiting = np.concatenate([self._waiting, new])
        self._waiting = waiting[np.argsort(waiting["time_ns"], kind="stable")]
        self._supersede()

    def _forked(self, forks: Events) -> None:
        for parent, child in zip(forks["pid"].tolist(), forks["slot"].tolist(), strict=True):
            (self._threads.add if parent in self._threads else self._threads.discard)(child)

    def _supersede(self) -> None:
        """Decide what a later page-out of the same slot makes of one."""
        waiting = self._waiting
        outs = np.flatnonzero(waiting["kind"] == PAGE_OUT)
        outs = outs[np.argsort(waiting["slot"][outs], kind="stable")]
        before, after = outs[:-1], outs[1:]
        again = waiting["slot"][before] == waiting["slot"][after]
        before, after = before[again], after[again]
        read = (waiting["state"][before] == READ) | (waiting["state"][before] == ZEROS)
        kept = read & (waiting["read_ns"][before] < waiting["time_ns"][after])
        waiting["state"][before[~kept]] = LOST
        open_ = outs[waiting["state"][outs] == ON_ITS_WAY]
        there = self._written[waiting["slot"][open_]] >= waiting["time_ns"][open_]
        waiting["state"][open_[there]] = THERE

    def catch(self) -> None:
        """Read from the device all that was written and not overwritten meanwhile."""
        waiting = self._waiting
        wanted = np.flatnonzero(waiting["state"] == THERE)
        if not len(wanted):
            return
        wanted = wanted[np.argsort(waiting["slot"][wanted])]
        content, done, held = self._read(waiting["slot"][wanted])
        self._batch += 1
        self._contents[self._batch] = content
        waiting["state"][wanted] = np.where(held, READ, np.where(waiting["may_be_zero"][wanted], ZEROS, LOST))
        waiting["read_ns"][wanted] = done
        waiting["batch"][wanted] = self._batch
        waiting["row"][wanted] = np.arange(len(wanted))

    def doubt(self, threads: Iterable[int] = ()) -> None:
        """Events are missing, perhaps page-outs: nothing that is not yet decided can be trusted.

        `threads` are those of the program now; for a while nobody knows what they reclaim.
        """
        self._waiting["state"][self._waiting["kind"] == PAGE_OUT] = LOST
        self._threads = set(threads)
        self._doubted_ns = self._latest_ns + DOUBT_NS

    def release(self, until_ns: int) -> Records:
        """Hand over what is decided, knowing that no event of `until_ns` or before is still to come."""
        waiting = self._waiting
        out, state, time = waiting["kind"] == PAGE_OUT, waiting["state"], waiting["time_ns"]
        state[out & (state < READ) & (time <= until_ns - PATIENCE_NS)] = LOST
        read = (state == READ) | (state == ZEROS)
        decided = ~out | (state == LOST) | (read & (waiting["read_ns"] <= until_ns))
        stops = np.flatnonzero(~decided | (time > until_ns))
        ready = int(stops[0]) if len(stops) else len(waiting)
        done, self._waiting = waiting[:ready], waiting[ready:]
        if len(self._waiting):
            until_ns = min(until_ns, int(self._waiting["time_ns"][0]) - 1)
        self._disown(done, until_ns)
        records = self._records(done, until_ns)
        oldest = int(self._waiting["batch"][self._waiting["state"] == READ].min(initial=self._batch + 1))
        for batch in [number for number in self._contents if number < oldest]:
            del self._contents[batch]
        return records

    def _disown(self, done: Any, until_ns: int) -> None:
        """Make UNKNOWN the owners of what was written by threads that reclaimed anybody's memory just then."""
        done["owner"][done["time_ns"] <= self._doubted_ns] = UNKNOWN
        now = self._reclaims["time_ns"] <= until_ns
        steps, self._reclaims = self._reclaims[now], self._reclaims[~now]
        steps = steps[np.argsort(steps["time_ns"], kind="stable")]
        start = 0
        for pid, what, stop in zip(
            steps["pid"].tolist(),
            steps["what"].tolist(),
            np.searchsorted(done["time_ns"], steps["time_ns"]).tolist(),
            strict=True,
        ):
            self._disown_some(done[start:stop])
            (self._reclaiming.add if what == RECLAIM_BEGINS else self._reclaiming.discard)(pid)
            start = stop
        self._disown_some(done[start:])

    def _disown_some(self, rows: Any) -> None:
        if self._reclaiming and len(rows):
            rows["owner"][np.isin(rows["pid"], np.fromiter(self._reclaiming, np.int64))] = UNKNOWN

    def _records(self, seen: Any, until_ns: int) -> Records:
        caught = np.flatnonzero((seen["kind"] == PAGE_OUT) & (seen["state"] == READ))
        page = np.full(len(seen), -1, DTYPES["page"])
        page[caught] = np.arange(len(caught))
        page[(seen["kind"] == PAGE_OUT) & (seen["state"] == ZEROS)] = READ_AS_ZEROS
        content = np.empty((len(caught), self._page_size), np.uint8)
        batches = seen["batch"][caught]
        for batch in np.unique(batches).tolist():
            mine = batches == batch
            content[mine] = self._contents[batch][seen["row"][caught][mine]]
        columns = {name: np.ascontiguousarray(seen[name], DTYPES[name]) for name in DTYPES if name != "page"}
        return Records(page=page, content=content, until_ns=until_ns, **columns)
