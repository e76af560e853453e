"""Events as a data frame: a trace made of one, and one made of a trace."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workloads.errors import TraceError
from workloads.traces import columns
from workloads.traces.events import COMPACT, DTYPES, KINDS, OUT, Events, concat, kinds
from workloads.traces.fields import NAMES, ZERO, Fields
from workloads.traces.rawpages import raw_pages
from workloads.traces.sizes import GIVEN, Sizes
from workloads.traces.times import times
from workloads.traces.trace import Trace


def from_dataframe(
    frame: pd.DataFrame,
    pages: npt.NDArray[np.uint8] | Path | str | None = None,
    sizes: Mapping[str, Any] | npt.ArrayLike | None = None,
    *,
    name: str = "frame",
    page_size: int = 4096,
    unit: str | None = None,
    source: Mapping[str, Any] | None = None,
) -> Trace:
    """Make a trace in memory of a row an event, in order, with columns as `cswap import csv` takes them.

    `kind` holds words or codes; `slot` any number up to 2**64-1; `page` the index into `pages`, uint8[n, page_size] or
    a file of raw pages, and where there are only `sizes` into those: an array of bytes, or by codec arrays or `Sizes`.
    Without both, `size` holds the compressed bytes of each page-out. Times are in `time_s` or `ts` (seconds),
    `time_ns` or `ts_ns` (whole ns), `time_us`, `time_ms` or, as numbers, in the `unit` given; datetimes in any of them.
    `pid` or `task` is the process; times and tasks can be left out. Raises TraceError naming column and row.
    """
    fields = Fields.of(name, "columns", list(frame.columns), "size" if pages is None and sizes is None else "page")
    kind = _kinds(name, frame[fields.kind])
    zero, compact = kind == ZERO, kind == COMPACT
    out = (kind == OUT) | zero
    given: dict[str, Any] = {
        "kind": np.where(zero, np.uint8(OUT), kind),
        "slot": columns.slots(frame[fields.slot].where(~compact, 0)),
        "page": np.full(len(frame), -1, np.int32),
    }
    if fields.time is not None:
        given["time_ns"] = _times(name, frame[fields.time], fields.time, unit or fields.unit)
    if fields.task is not None:
        given["task"] = columns.whole(fields.task, frame[fields.task], DTYPES["task"])
    if fields.size is not None:
        size = columns.whole("size", frame[fields.size].where(out, 0), np.dtype(np.int32))
        given["page"][out] = np.arange(out.sum())
        if (size[out] < 1).any():
            row = int((out & (size < 1)).argmax())
            raise TraceError.at(name, f"column size, row {row}", f"is {size[row]}", "give bytes after compression")
        tables = {GIVEN: Sizes.given(size[out], zero[out])}
    else:
        named = (kind == OUT) & ~zero
        page = columns.whole("page", frame[fields.page].where(named, 0), DTYPES["page"])
        given["page"][named] = page[named]
        tables = _sizes(sizes)
    contents = None if pages is None else _pages(pages, page_size)
    if zero.any() and fields.size is None:
        if contents is None:
            raise TraceError.at(
                name, "column kind", "holds out0, a page that has no size", "give its page and its size"
            )
        given["page"][zero] = len(contents)
        contents = np.concatenate([contents, np.zeros((1, contents.shape[1]), np.uint8)])
    return Trace.from_arrays(name, Events(**given), contents, tables, source or {"kind": "frame"}, page_size)


def to_dataframe(trace: Trace) -> pd.DataFrame:
    """Return all events, a row each: `kind` as words (categorical), `slot` as it was called originally, `page`, and
    `time_ns` and `task` where the trace has them; `from_dataframe` makes the same trace of it.
    """
    events = concat(list(trace.batches()) or [Events.of([], [], [])])
    found: dict[str, Any] = events.columns()
    found["kind"] = pd.Categorical.from_codes(events.kind.astype(np.int8), pd.Index(KINDS))
    original = trace.original_slots()
    if original is not None:
        found["slot"] = np.where(events.kind == COMPACT, np.uint64(0), original[events.slot])
    return pd.DataFrame(found)


def _kinds(name: str, column: pd.Series[Any]) -> npt.NDArray[np.uint8]:
    column = column.infer_objects()
    kind = kinds(column, NAMES)
    unknown = kind >= (len(KINDS) if pd.api.types.is_numeric_dtype(column) else len(NAMES))
    if unknown.any():
        row, last = int(unknown.argmax()), len(KINDS) - 1
        remedy = f"kinds are 0 ({KINDS[0]}) to {last} ({KINDS[last]})"
        raise TraceError.at(name, f"column kind, row {row}", f"kind {kind[row]} is unknown", remedy)
    return kind


def _times(name: str, column: pd.Series[Any], called: str, unit: str) -> npt.NDArray[np.int64]:
    column = column.infer_objects()
    if not pd.api.types.is_numeric_dtype(column):
        return times(column)
    if unit == "ns" and pd.api.types.is_float_dtype(column):
        remedy = "give whole nanoseconds, or call the column time_s if these are seconds"
        raise TraceError.at(name, f"column {called}", f"is {column.dtype}", remedy)
    return times(column, unit)


def _sizes(sizes: Any) -> dict[str, Sizes]:
    by_codec = sizes if isinstance(sizes, Mapping) else {} if sizes is None else {GIVEN: sizes}
    return {codec: table if isinstance(table, Sizes) else Sizes.given(table) for codec, table in by_codec.items()}


def _pages(pages: Any, page_size: int) -> npt.NDArray[np.uint8]:
    if isinstance(pages, str | os.PathLike):
        parts = raw_pages(Path(pages), page_size, lambda _: None)
        return np.concatenate([np.empty((0, page_size), np.uint8), *parts])
    return np.asarray(pages)
