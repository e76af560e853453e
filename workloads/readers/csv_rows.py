"""The rows of an event CSV: parsed by column, refused by line."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import ConvertOptions, ParseOptions, ReadOptions, read_csv

from workloads.errors import TraceError
from workloads.limits import SLOTS
from workloads.readers.stream import Moved, lines
from workloads.traces.events import COMPACT, KINDS, OUT, Events

NUMBERS: dict[str, np.dtype[Any]] = {
    "ts_ns": np.dtype(np.int64),
    "pid": np.dtype(np.int32),
    "slot": np.dtype(np.int64),
    "page": np.dtype(np.int64),
}
COLUMNS = ("ts_ns", "kind", "pid", "slot", "page")
HEADER = ",".join(COLUMNS)
ZERO = len(KINDS)  # the code of out0 while parsing
NAMES = (*KINDS, "out0")


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows: `kind` uint8[n] (`ZERO` for out0), `page` int64[n] into the file of pages."""

    kind: npt.NDArray[np.uint8]
    time_ns: npt.NDArray[np.int64]
    task: npt.NDArray[np.int32]
    slot: npt.NDArray[np.int64]
    page: npt.NDArray[np.int64]

    @property
    def zero(self) -> npt.NDArray[np.bool_]:
        """Which rows write an all-zero page."""
        return np.equal(self.kind, ZERO)

    def events(self, numbers: npt.NDArray[np.int32], zero: int | None) -> Events:
        """Return events that refer to unique pages: `numbers[page]`, or `zero` for out0."""
        page = np.full(len(self.kind), -1, np.int32)
        out = self.kind == OUT
        page[out] = numbers[self.page[out]]
        page[self.zero] = -1 if zero is None else zero
        kind = np.where(self.zero, np.uint8(OUT), self.kind)
        slot = np.where(self.kind == COMPACT, 0, self.slot)
        return Events(kind, slot, page, self.time_ns, self.task)


def read_rows(path: Path, n_pages: int, moved: Moved) -> Iterator[Rows]:
    """Yield all rows in blocks; TraceError names the line (the header is line 1) of the first bad one."""
    line, last, names = 1, None, None
    for block in lines(path, moved):
        if names is None:
            head, _, block = block.partition(b"\n")
            names = _header(path, head)
            line = 2
        if not block:
            continue
        rows = _parse(path, block, line, names)
        _check(path, rows, line, n_pages, last)
        yield rows
        line, last = line + len(rows.kind), int(rows.time_ns[-1])
    if names is None:
        raise TraceError.at(path, "line 1", "there is no header", f"begin with {HEADER}")


def _header(path: Path, line: bytes) -> list[str]:
    names = [name.strip() for name in line.decode("utf-8-sig", "replace").split(",")]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise TraceError.at(path, "line 1", f"has no column {', '.join(missing)}", f"the header is {HEADER}")
    return names


def _parse(path: Path, block: bytes, line: int, names: list[str]) -> Rows:
    types = {name: pa.from_numpy_dtype(dtype) for name, dtype in NUMBERS.items()}
    try:
        table = read_csv(
            pa.BufferReader(block),
            ReadOptions(column_names=names, use_threads=False, block_size=len(block) + 1),
            ParseOptions(ignore_empty_lines=False),
            ConvertOptions(column_types={**types, "kind": pa.string()}, include_columns=COLUMNS, null_values=[""]),
        )
    except pa.ArrowInvalid as error:
        raise explained(path, block, line, names, str(error)) from error
    for name in ("ts_ns", "pid", "slot"):
        _refuse(path, line, pc.is_null(table[name]), f"{name} is empty", "give a whole number")
    kind = pc.index_in(table["kind"], pa.array(NAMES))
    unknown = np.asarray(pc.is_null(kind))
    if unknown.any():
        wrong = f"kind {table['kind'][int(unknown.argmax())].as_py()!r} is unknown"
        _refuse(path, line, unknown, wrong, f"use one of {', '.join(NAMES)}")
    columns = {name: np.array(table[name], dtype) for name, dtype in NUMBERS.items() if name != "page"}
    page = np.array(pc.fill_null(table["page"], -1), NUMBERS["page"])
    return Rows(np.array(kind, np.uint8), columns["ts_ns"], columns["pid"], columns["slot"], page)


def _check(path: Path, rows: Rows, line: int, n_pages: int, last: int | None) -> None:
    _refuse(path, line, rows.slot < 0, "slot is negative", "slots count from 0")
    remedy = f"number them without gaps, at most {SLOTS:,}"
    _refuse(path, line, (rows.slot >= SLOTS) & (rows.kind != COMPACT), "slot is too high for a device", remedy)
    bad = (rows.kind == OUT) & ((rows.page < 0) | (rows.page >= n_pages))
    if bad.any():
        wrong = f"page {rows.page[int(bad.argmax())]} does not exist"
        _refuse(path, line, bad, wrong, f"the file of pages has {n_pages}, counted from 0")
    times = rows.time_ns
    before = np.concatenate(([times[0] if last is None else last], times[:-1]))
    _refuse(path, line, times < before, "ts_ns is before that of the line above", "sort the events by time")


def _refuse(path: Path, line: int, bad: npt.ArrayLike, wrong: str, remedy: str) -> None:
    mask = np.asarray(bad)
    if mask.any():
        raise TraceError.at(path, f"line {line + int(mask.argmax())}", wrong, remedy)


def explained(path: Path, block: bytes, line: int, names: list[str], text: str) -> TraceError:
    """Find the line the parser stumbled over; `text` is the parser's own message, used when none is found."""
    for number, raw in enumerate(block.splitlines(), line):
        try:
            row = next(csv.reader([raw.decode()]), [])
        except UnicodeDecodeError:
            return TraceError.at(path, f"line {number}", "is not UTF-8 text", "give UTF-8")
        if len(row) != len(names):
            wrong = f"has {len(row)} columns, the header {len(names)}"
            return TraceError.at(path, f"line {number}", wrong, "give every row the same columns")
        for name, value in zip(names, row, strict=True):
            if name in NUMBERS and value and not _fits(value, NUMBERS[name]):
                wrong = f"{name} {value!r} is not a number of type {NUMBERS[name]}"
                return TraceError.at(path, f"line {number}", wrong, "give a whole number")
    return TraceError.at(path, f"line {line} or below", text, "give CSV of one line per row")


def _fits(value: str, dtype: np.dtype[Any]) -> bool:
    try:
        number = int(value)
    except ValueError:
        return False
    limits = np.iinfo(dtype)
    return int(limits.min) <= number <= int(limits.max)
