"""Events: what happens to the slots of a swap device, as a batch of columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.shown import meant
from workloads.traces import columns
from workloads.traces.times import times

OUT, IN, FREE, COMPACT, LOST = 0, 1, 2, 3, 4
KINDS = ("out", "in", "free", "compact", "lost")

DTYPES: dict[str, np.dtype[Any]] = {
    "kind": np.dtype(np.uint8),
    "slot": np.dtype(np.int64),
    "page": np.dtype(np.int32),
    "time_ns": np.dtype(np.int64),
    "task": np.dtype(np.int32),
}
OPTIONAL = ("time_ns", "task")


@dataclass(frozen=True, eq=False)
class Events:
    """A batch of n events in the order they happened.

    `kind` uint8[n], an index of `KINDS`; `slot` int64[n], 0 for a compaction (uint64[n] where one is 2**63 or higher:
    `Trace.from_arrays` numbers such slots anew, and nothing else takes them); `page` int32[n], the index of the unique
    page written, -1 unless the kind is OUT; `time_ns` int64[n], nanoseconds since the start of the trace or since 1970,
    or None; `task` int32[n], the process, or None. A page-in is a read: it does not free its slot, frees are events of
    their own. LOST is a page-out whose contents nobody saw: from then on the slot holds something unknown, and a replay
    leaves it empty. Raises TraceError when a column has another type or length.
    """

    kind: npt.NDArray[np.uint8]
    slot: npt.NDArray[np.int64]
    page: npt.NDArray[np.int32]
    time_ns: npt.NDArray[np.int64] | None = None
    task: npt.NDArray[np.int32] | None = None

    def __post_init__(self) -> None:
        for name, column in self.columns().items():
            named = name == "slot" and column.dtype == np.uint64
            if (column.dtype != DTYPES[name] and not named) or column.shape != (len(self.kind),):
                raise TraceError.at(
                    "events",
                    f"column {name}",
                    f"is {column.dtype}{list(column.shape)}",
                    f"make it {DTYPES[name]}[{len(self.kind)}]",
                )

    @classmethod
    def of(
        cls,
        kind: Any,
        slot: Any,
        page: Any,
        time_ns: Any = None,
        task: Any = None,
        *,
        unit: str | None = None,
    ) -> Events:
        """Build a batch from anything array-like: lists, arrays, columns of pandas or of pyarrow.

        Kinds are words or their codes; times are datetimes, floats in seconds, or whole numbers of ns, or numbers of
        the `unit` given ("s", "ms", "us", "ns"). A missing page (NaN) is -1. Raises TraceError naming the row of a
        value that its column cannot hold as it is.
        """
        given = {
            "kind": kinds(kind),
            "slot": columns.slots(slot),
            "page": columns.whole("page", page, DTYPES["page"], -1),
        }
        if time_ns is not None:
            given["time_ns"] = times(time_ns, unit)
        if task is not None:
            given["task"] = columns.whole("task", task, DTYPES["task"])
        return cls(**given)

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Return the columns that are present, by name, in file order."""
        every = {name: getattr(self, name) for name in DTYPES}
        return {name: column for name, column in every.items() if column is not None}

    def __len__(self) -> int:
        return len(self.kind)

    def __getitem__(self, rows: slice | npt.NDArray[np.generic]) -> Events:
        """Select rows: views for a slice, copies for a mask or an index array."""
        return Events(**{name: column[rows] for name, column in self.columns().items()})


def kinds(values: Any, known: Sequence[str] = KINDS) -> npt.NDArray[np.uint8]:
    """Return the codes of kinds given as words `known`, or as codes; TraceError names the row of another."""
    given, gaps = columns.plain("kind", values)
    if gaps is not None or given.dtype.kind in "iufb" or not any(isinstance(value, str) for value in given.tolist()):
        return columns.whole("kind", values, DTYPES["kind"])
    code = {word: number for number, word in enumerate(known)}
    words = given.tolist()
    found = [code.get(word, -1) for word in words]
    if -1 in found:
        row = found.index(-1)
        wrong = f"kind {words[row]!r} is unknown{meant(str(words[row]), known)}"
        raise TraceError.at("events", f"column kind, row {row}", wrong, f"use one of {', '.join(known)}")
    return np.array(found, np.uint8)


def concat(batches: Sequence[Events]) -> Events:
    """Join batches; all must have the same columns (TraceError otherwise)."""
    if len(batches) == 1:
        return batches[0]
    names = [set(batch.columns()) for batch in batches]
    if any(other != names[0] for other in names):
        raise TraceError.at("events", "columns", "time_ns or task is in some batches only", "give them in all or none")
    if not batches:
        return Events.of([], [], [])
    columns = [batch.columns() for batch in batches]
    return Events(**{name: np.concatenate([c[name] for c in columns]) for name in columns[0]})
