"""The tally of a stream of events: every row is checked and counted as it passes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.traces.digests import EventsDigest
from workloads.traces.events import COMPACT, KINDS, OPTIONAL, OUT, Events

LAST = len(KINDS) - 1


class Tally:
    """Counts of all events added so far; the same for any cutting into batches.

    `counts` by kind, `rows`, `n_slots` (highest slot + 1), `span` (first and last time in ns, or None),
    `columns` (names of the optional columns present).
    """

    def __init__(self, file: object, *, n_slots: int | None = None, hashed: bool = True) -> None:
        """`file` is what errors name; `n_slots` how many slots there are, if that is known.

        Without `hashed` there is no digest.
        """
        self.file = file
        self.rows = 0
        self.counts = dict.fromkeys(KINDS, 0)
        self.n_slots = 0
        self.span: tuple[int, int] | None = None
        self.columns: set[str] = set()
        self._slots = 1 << 63 if n_slots is None else n_slots
        self._digest = EventsDigest() if hashed else None

    def add(self, events: Events, unique_pages: int) -> None:
        """Check and count a batch; raises TraceError naming the first bad row (counted from 0)."""
        if not len(events):
            return
        optional = set(events.columns()) & set(OPTIONAL)
        if not self.rows:
            self.columns = optional
        elif optional != self.columns:
            wrong, remedy = "time_ns or task begins or ends here", "give them in all rows or none"
            raise TraceError.at(self.file, f"row {self.rows}", wrong, remedy)
        last = None if self.span is None else self.span[1]
        if not self._sound(events, unique_pages, last):
            self._explain(events, unique_pages, last)
        for code, name in enumerate(KINDS):
            self.counts[name] += int(np.count_nonzero(events.kind == code))
        self.n_slots = max(self.n_slots, int(events.slot.max()) + 1)
        if events.time_ns is not None:
            first = int(events.time_ns[0]) if self.span is None else self.span[0]
            self.span = (first, int(events.time_ns[-1]))
            if self.span[1] - first >= 1 << 63:
                wrong = f"time {self.span[1]} ns is more than 2**63 ns after the first"
                raise TraceError.at(self.file, f"row {self.rows} or below", wrong, "give times that begin near 0")
        if self._digest is not None:
            self._digest.add(events)
        self.rows += len(events)

    def digest(self) -> str:
        """Return the digest of all columns so far, in hex."""
        assert self._digest is not None
        return self._digest.hexdigest()

    def _sound(self, events: Events, unique_pages: int, last: int | None) -> bool:
        """Whether every row is right, by few and cheap passes over the columns."""
        kind, slot, page, time = events.kind, events.slot, events.page, events.time_ns
        compact = kind == COMPACT
        return bool(
            kind.max() <= LAST
            and slot.min() >= 0
            and slot.max() < self._slots
            and not (compact.any() and slot[compact].any())
            and page.min() >= -1
            and page.max() < unique_pages
            and ((page >= 0) == (kind == OUT)).all()
            and (time is None or ((last is None or time[0] >= last) and (time[1:] >= time[:-1]).all()))
        )

    def _explain(self, events: Events, unique_pages: int, last: int | None) -> None:
        """Find the first row that is not."""
        kind, slot, page, time = events.kind, events.slot, events.page, events.time_ns
        out = kind == OUT
        self._refuse(kind > LAST, "kind {} is unknown", kind, f"kinds are 0 (out) to {LAST} ({KINDS[LAST]})")
        self._refuse(slot < 0, "slot {} is negative", slot, "slots count from 0")
        there_are = f"there are {self._slots} slots, counted from 0"
        self._refuse(slot >= self._slots, "slot {} does not exist", slot, there_are)
        self._refuse((kind == COMPACT) & (slot != 0), "a compaction has slot {}", slot, "its slot is 0")
        self._refuse(
            out & ((page < 0) | (page >= unique_pages)),
            "page {} does not exist",
            page,
            f"there are {unique_pages} unique pages, counted from 0",
        )
        self._refuse(~out & (page != -1), "page {} on a row that is not a page-out", page, "its page is -1")
        if time is not None:
            before = np.concatenate(([time[0] if last is None else last], time[:-1]))
            self._refuse(time < before, "time {} ns is before the row above", time, "sort the events by time")

    def _refuse(self, bad: npt.NDArray[np.bool_], wrong: str, values: npt.NDArray[np.generic], remedy: str) -> None:
        if bad.any():
            row = int(bad.argmax())
            raise TraceError.at(self.file, f"row {self.rows + row}", wrong.format(values[row]), remedy)
