"""Events on their way into a trace: kept aside until the slots of all of them are known."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.traces.events import COMPACT, Events
from workloads.traces.slots import Names, distinct, numbering, slot_numbers

ROW = np.dtype([("kind", "u1"), ("slot", "<u8"), ("page", "<i4"), ("time_ns", "<i8"), ("task", "<i4")])
PART = 1 << 16  # rows read back at once
WINDOW_NS = 1_000_000_000  # CPUs write their events down in turn: by so much one may come late

Rows = npt.NDArray[np.void]


class Spool:
    """Rows in a file without a name beside the trace, which is gone with the process, however that ends."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace
        try:
            self._file = tempfile.TemporaryFile(dir=trace.parent)  # noqa: SIM115
        except OSError as error:
            wrong = f"cannot be written ({error.strerror})"
            raise TraceError.at(trace.parent, "folder", wrong, "choose another place") from error
        self._slots = _Distinct()

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    def add(self, rows: Rows) -> None:
        """Keep rows, after those before."""
        self._slots.add(rows["slot"][rows["kind"] != COMPACT])
        self._file.write(np.ascontiguousarray(rows).data)

    def names(self) -> Names | None:
        """What numbered slots were called (`workloads.traces.slots.numbering`), None if they can stay as they are."""
        return numbering(self._slots.all())

    def rows(self) -> Iterator[Rows]:
        """Yield all rows in their order."""
        self._file.flush()
        os.lseek(self._file.fileno(), 0, os.SEEK_SET)
        while data := self._file.read(PART * ROW.itemsize):
            yield np.frombuffer(data, ROW)


class _Distinct:
    """Distinct numbers, sorted: about 16 bytes of memory for each."""

    def __init__(self) -> None:
        self._sorted = np.empty(0, np.uint64)
        self._new: list[npt.NDArray[np.uint64]] = []
        self._waiting = 0

    def add(self, numbers: npt.NDArray[np.uint64]) -> None:
        self._new.append(distinct(numbers))
        self._waiting += len(self._new[-1])
        if self._waiting > max(len(self._sorted), PART):
            self.all()

    def all(self) -> npt.NDArray[np.uint64]:
        self._sorted = distinct(np.concatenate([self._sorted, *self._new]))
        self._new, self._waiting = [], 0
        return self._sorted


class Ordered:
    """Puts rows in the order of their times, which may be late by up to `WINDOW_NS`."""

    def __init__(self, file: Path) -> None:
        self._file, self._done, self._latest = file, 0, 0
        self._waiting = np.empty(0, ROW)
        self.late: TraceError | None = None  # what is wrong with the first row that comes too late; no more is taken

    def add(self, rows: Rows) -> Rows:
        """Take rows, up to one that comes too late; return those that none to come can be before."""
        if not len(rows):
            return rows
        time = rows["time_ns"]
        latest = np.maximum.accumulate(np.maximum(time, self._latest if self._done or len(self._waiting) else time[0]))
        late = time < latest - WINDOW_NS
        if late.any():
            row = int(late.argmax())
            event = self._done + len(self._waiting) + row
            wrong = f"is more than {WINDOW_NS // 10**9} s before one above it"
            remedy = "sort the events by time, or split the file there"
            self.late = TraceError.at(self._file, f"event {event}", wrong, remedy)
            rows, latest = rows[:row], latest[: row + 1]
        self._latest = int(latest[-1])
        every = np.concatenate([self._waiting, rows])
        every = every[np.argsort(every["time_ns"], kind="stable")]
        ready = int(np.searchsorted(every["time_ns"], self._latest - WINDOW_NS, "left"))
        self._waiting = every[ready:]
        self._done += ready
        return every[:ready]

    def rest(self) -> Rows:
        """Return the rows that waited."""
        rows, self._waiting = self._waiting, self._waiting[:0]
        return rows


def as_events(rows: Rows, names: Names | None, timed: bool, tasks: bool) -> Events:
    """Return rows as events of numbered slots."""
    kind = np.ascontiguousarray(rows["kind"])
    return Events(
        kind,
        slot_numbers(kind, rows["slot"], names),
        np.ascontiguousarray(rows["page"]),
        np.ascontiguousarray(rows["time_ns"]) if timed else None,
        np.ascontiguousarray(rows["task"]) if tasks else None,
    )
