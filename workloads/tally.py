"""The tally of a stream of events: checked row by row, counted and digested as it passes."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.events import COMPACT, KINDS, OPTIONAL, OUT, Events

DIGEST_BYTES = 16


class Tally:
    """Counts of all events added so far; the same for any cutting into batches.

    `counts` by kind, `rows`, `n_slots` (highest slot + 1), `span` (first and last time in ns, or None),
    `columns` (names of the optional columns present).
    """

    def __init__(self, file: object) -> None:
        """`file` is what errors name."""
        self.file = file
        self.rows = 0
        self.counts = dict.fromkeys(KINDS, 0)
        self.n_slots = 0
        self.span: tuple[int, int] | None = None
        self.columns: set[str] = set()
        self._hashes: dict[str, hashlib.blake2b] = {}

    def add(self, events: Events, unique_pages: int) -> None:
        """Check and count a batch; raises TraceError naming the first bad row (counted from 0)."""
        if not len(events):
            return
        columns = events.columns()
        optional = set(columns) & set(OPTIONAL)
        if not self.rows:
            self.columns = optional
        elif optional != self.columns:
            raise TraceError.at(
                self.file,
                f"row {self.rows}",
                "time_ns or task begins or ends here",
                "give them in all rows or none",
            )
        self._check(events, unique_pages)
        for code, n in enumerate(np.bincount(events.kind, minlength=len(KINDS))):
            self.counts[KINDS[code]] += int(n)
        self.n_slots = max(self.n_slots, int(events.slot.max()) + 1)
        if events.time_ns is not None:
            first = int(events.time_ns[0]) if self.span is None else self.span[0]
            self.span = (first, int(events.time_ns[-1]))
        for name, column in columns.items():
            hasher = self._hashes.setdefault(name, hashlib.blake2b(digest_size=DIGEST_BYTES))
            hasher.update(np.ascontiguousarray(column, column.dtype.newbyteorder("<")).data)
        self.rows += len(events)

    def digest(self) -> str:
        """Return the digest of all columns so far, in hex."""
        text = " ".join(f"{name}={self._hashes[name].hexdigest()}" for name in sorted(self._hashes))
        return hashlib.blake2b(text.encode(), digest_size=DIGEST_BYTES).hexdigest()

    def _check(self, events: Events, unique_pages: int) -> None:
        kind, slot, page, time = events.kind, events.slot, events.page, events.time_ns
        out = kind == OUT
        last = len(KINDS) - 1
        self._refuse(kind > last, "kind {} is unknown", kind, f"kinds are 0 (out) to {last} ({KINDS[last]})")
        self._refuse(slot < 0, "slot {} is negative", slot, "slots count from 0")
        self._refuse((kind == COMPACT) & (slot != 0), "a compaction has slot {}", slot, "its slot is 0")
        self._refuse(
            out & ((page < 0) | (page >= unique_pages)),
            "page {} does not exist",
            page,
            f"there are {unique_pages} unique pages, counted from 0",
        )
        self._refuse(~out & (page != -1), "page {} on a row that is no page-out", page, "its page is -1")
        if time is not None:
            before = np.concatenate(([time[0] if self.span is None else self.span[1]], time[:-1]))
            self._refuse(time < before, "time {} ns is before the row above", time, "sort the events by time")

    def _refuse(
        self, bad: npt.NDArray[np.bool_], wrong: str, values: npt.NDArray[np.generic], remedy: str
    ) -> None:
        if bad.any():
            row = int(bad.argmax())
            raise TraceError.at(self.file, f"row {self.rows + row}", wrong.format(values[row]), remedy)
