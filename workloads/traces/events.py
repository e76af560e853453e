"""Events: what happens to the slots of a swap device, as a batch of columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError

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

    `kind` uint8[n], an index of `KINDS`; `slot` int64[n], 0 for a compaction; `page` int32[n], the index
    of the unique page written, -1 unless the kind is OUT; `time_ns` int64[n], nanoseconds since the start
    of the trace, or None; `task` int32[n], the process, or None. A page-in is a read: it does not free its
    slot, frees are events of their own. LOST is a page-out whose contents nobody saw: from then on the slot
    holds something unknown, and a replay leaves it empty. Raises TraceError when a column has another type or length.
    """

    kind: npt.NDArray[np.uint8]
    slot: npt.NDArray[np.int64]
    page: npt.NDArray[np.int32]
    time_ns: npt.NDArray[np.int64] | None = None
    task: npt.NDArray[np.int32] | None = None

    def __post_init__(self) -> None:
        for name, column in self.columns().items():
            if column.dtype != DTYPES[name] or column.shape != (len(self.kind),):
                raise TraceError.at(
                    "events",
                    f"column {name}",
                    f"is {column.dtype}{list(column.shape)}",
                    f"make it {DTYPES[name]}[{len(self.kind)}]",
                )

    @classmethod
    def of(
        cls,
        kind: npt.ArrayLike,
        slot: npt.ArrayLike,
        page: npt.ArrayLike,
        time_ns: npt.ArrayLike | None = None,
        task: npt.ArrayLike | None = None,
    ) -> Events:
        """Build a batch from anything array-like; TraceError for a number that its column cannot hold as it is."""
        given = {"kind": kind, "slot": slot, "page": page, "time_ns": time_ns, "task": task}
        return cls(**{name: _column(name, values) for name, values in given.items() if values is not None})

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Return the columns that are present, by name, in file order."""
        every = {name: getattr(self, name) for name in DTYPES}
        return {name: column for name, column in every.items() if column is not None}

    def __len__(self) -> int:
        return len(self.kind)

    def __getitem__(self, rows: slice | npt.NDArray[np.generic]) -> Events:
        """Select rows: views for a slice, copies for a mask or an index array."""
        return Events(**{name: column[rows] for name, column in self.columns().items()})


def _column(name: str, values: npt.ArrayLike) -> npt.NDArray[Any]:
    """Convert to the type of a column, if no value changes."""
    given, dtype = np.asarray(values), DTYPES[name]
    if given.dtype == dtype or not given.size:
        return np.ascontiguousarray(given, dtype)
    try:
        with np.errstate(invalid="ignore"):
            column = np.ascontiguousarray(given, dtype)
        changed = np.atleast_1d(np.not_equal(column, given))
    except (TypeError, ValueError, OverflowError) as error:
        raise TraceError.at("events", f"column {name}", f"is no {dtype} ({error})", "give whole numbers") from error
    if changed.any():
        row = int(changed.ravel().argmax())
        wrong, limits = f"{given.ravel()[row]} does not fit {dtype}", np.iinfo(dtype)
        remedy = f"give whole numbers from {limits.min} to {limits.max}"
        raise TraceError.at("events", f"column {name}, row {row}", wrong, remedy)
    return column


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
