"""Which page was written by which page-out, decided from times alone.

A page-out k of a slot is queued at q(k), then written. Its contents are read from the device after the event that says
that it was written; the read is over at r. The page read is k's if no other page-out of the slot was queued by r: a
page is read and written as a whole, a free slot reads as zeros, and pages of zeros never reach the device since 6.12.
So k is *lost* when zeros were read, when the next page-out of the slot was queued at or before r, or before anything
was read. The decision waits until all events up to r are known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
import numpy.typing as npt

from workloads.recorder.records import DTYPES, OURS, PAGE_IN, PAGE_OUT, UNKNOWN, Records
from workloads.recorder.tracefs.ringbuffer import FORKED, QUEUED_IN, QUEUED_OUT, WRITTEN, Event

Read = Callable[
    [npt.NDArray[np.int64]], tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.bool_]]
]  # as `workloads.host.direct.SlotReader.read`

ON_ITS_WAY, THERE, READ, LOST = 0, 1, 2, 3
PATIENCE_NS = 1_000_000_000  # for the event that says that a page was written


@dataclass(slots=True, eq=False)
class Seen:
    """A page-out or page-in that waits for its decision."""

    time_ns: int
    kind: int
    slot: int
    pid: int
    owner: int
    state: int = ON_ITS_WAY
    read_ns: int = 0
    content: npt.NDArray[np.uint8] | None = None


class Catcher:
    """Takes events, reads what was written, hands over records once they are decided."""

    def __init__(self, read: Read, page_size: int, threads: Iterable[int]) -> None:
        """`threads` are those of the program at the start; their children follow from fork events."""
        self._read, self._page_size = read, page_size
        self._threads = set(threads)
        self._waiting: list[Seen] = []
        self._latest: dict[int, Seen] = {}  # page-out by slot, until it is decided
        self._there: list[Seen] = []

    def take(self, events: Iterable[Event]) -> None:
        """Take the next events, in the order of time; later calls may bring some that are a little earlier."""
        threads, latest, waiting = self._threads, self._latest, self._waiting
        for time, what, pid, first, pages in events:
            if what == FORKED:
                (threads.add if pid in threads else threads.discard)(first)
                continue
            for slot in range(first, first + pages):
                if what == QUEUED_IN:
                    waiting.append(Seen(time, PAGE_IN, slot, pid, UNKNOWN))
                elif what == QUEUED_OUT:
                    out = Seen(time, PAGE_OUT, slot, pid, OURS if pid in threads else UNKNOWN)
                    waiting.append(out)
                    self._follow(latest.get(slot), out)
                elif what == WRITTEN:
                    known = latest.get(slot)
                    if known is not None and known.state == ON_ITS_WAY:
                        known.state = THERE
                        self._there.append(known)

    def _follow(self, before: Seen | None, out: Seen) -> None:
        if before is not None and before.time_ns > out.time_ns:  # events of two CPUs came in the wrong order
            before, out = out, before
        else:
            self._latest[out.slot] = out
        if before is not None and not (before.state == READ and before.read_ns < out.time_ns):
            before.state, before.content = LOST, None

    def catch(self) -> None:
        """Read from the device all that was written and not overwritten meanwhile."""
        wanted = sorted((out for out in self._there if out.state == THERE), key=attrgetter("slot"))
        self._there = []
        if not wanted:
            return
        content, done, held = self._read(np.array([out.slot for out in wanted], np.int64))
        times, full = done.tolist(), held.tolist()
        for row, out in enumerate(wanted):
            if full[row]:
                out.state, out.read_ns, out.content = READ, times[row], content[row]
            else:
                out.state = LOST

    def doubt(self) -> None:
        """Events are missing, perhaps page-outs: nothing that is not yet decided can be trusted."""
        for seen in self._waiting:
            if seen.kind == PAGE_OUT:
                seen.state, seen.content = LOST, None

    def release(self, until_ns: int) -> Records:
        """Hand over what is decided, knowing that no event of `until_ns` or before is still to come."""
        self._waiting.sort(key=attrgetter("time_ns"))
        ready = 0
        for seen in self._waiting:
            if seen.time_ns > until_ns:
                break
            if seen.kind == PAGE_OUT and seen.state != LOST:
                if seen.state == READ:
                    if seen.read_ns > until_ns:
                        break
                elif until_ns - seen.time_ns < PATIENCE_NS:
                    break
                else:
                    seen.state = LOST
                if self._latest.get(seen.slot) is seen:
                    del self._latest[seen.slot]
            ready += 1
        done, self._waiting = self._waiting[:ready], self._waiting[ready:]
        if self._waiting:
            until_ns = min(until_ns, self._waiting[0].time_ns - 1)
        return _records(done, self._page_size, until_ns)


def _records(seen: list[Seen], page_size: int, until_ns: int) -> Records:
    page = np.full(len(seen), -1, DTYPES["page"])
    pages: list[npt.NDArray[np.uint8]] = []
    for row, one in enumerate(seen):
        if one.content is not None:
            page[row] = len(pages)
            pages.append(one.content)
    columns = {name: np.array([getattr(s, name) for s in seen], DTYPES[name]) for name in DTYPES if name != "page"}
    content = np.array(pages, np.uint8) if pages else np.empty((0, page_size), np.uint8)
    return Records(page=page, content=content, until_ns=until_ns, **columns)
