"""The rows of an event CSV: parsed by column, refused by line."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workloads.errors import TraceError
from workloads.readers.csv_table import Head, Texts, parsed
from workloads.readers.csv_text import times
from workloads.readers.input import Input
from workloads.shown import meant
from workloads.traces.events import COMPACT, OUT
from workloads.traces.fields import HEADER, NAMES, ZERO, Fields
from workloads.traces.sizes import largest


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows: `kind` uint8[n] (`ZERO` for out0), `slot` uint64[n], 0 for a compaction; what other columns there are:
    `time_ns` int64[n], `task` int32[n], `page` int64[n] into the file of pages, `size` int32[n] of a page-out.
    """

    kind: npt.NDArray[np.uint8]
    slot: npt.NDArray[np.uint64]
    time_ns: npt.NDArray[np.int64] | None
    task: npt.NDArray[np.int32] | None
    page: npt.NDArray[np.int64] | None
    size: npt.NDArray[np.int32] | None

    @property
    def zero(self) -> npt.NDArray[np.bool_]:
        """Which rows write an all-zero page."""
        return np.equal(self.kind, ZERO)

    @property
    def out(self) -> npt.NDArray[np.bool_]:
        """Which rows write a page, an all-zero one too."""
        return np.equal(self.kind, OUT) | self.zero


def read_rows(file: Input) -> Iterator[Rows]:
    """Yield all rows in blocks; TraceError names the line (the header is line 1) of the first bad one.

    Page-outs name one of `file.n_pages`, or none if there is no such column; where that is None, the size of theirs.
    """
    path, n_pages, head, last = file.path, file.n_pages, None, None
    for line, block in file.lines():
        if head is None:
            first, _, block = block.partition(b"\n")
            head = _head(path, first, n_pages)
            line += 1
        if not block:
            continue
        parse = partial(_checked, Lines(path, line), head, n_pages, file.page_size, last)
        try:
            rows = parse(block)
        except TraceError:
            yield from _before_fault(parse, block)
            raise
        yield rows
        last = None if rows.time_ns is None else int(rows.time_ns[-1])
    if head is None:
        raise TraceError.at(path, "line 1", "there is no header", f"begin with {HEADER}")


def _checked(place: Lines, head: Head, n_pages: int | None, page_size: int, last: int | None, block: bytes) -> Rows:
    rows = _rows(place, head, block)
    _check(place, head.fields, rows, n_pages, page_size, last)
    return rows


def _before_fault(parse: Callable[[bytes], Rows], block: bytes) -> Iterator[Rows]:
    """Yield the rows of a block above its first line that is wrong."""
    lines = block.splitlines(keepends=True)
    good, bad, found = 0, len(lines), None  # so many lines are right, and so many are not
    while bad - good > 1:
        middle = (good + bad) // 2
        try:
            found, good = parse(b"".join(lines[:middle])), middle
        except TraceError:
            bad = middle
    if found is not None:
        yield found


@dataclass(frozen=True)
class Lines:
    """Where rows stand: row 0 on line `first` of the file `path`."""

    path: Path
    first: int

    def refuse(self, bad: npt.ArrayLike, wrong: str, remedy: str, values: Any = None) -> None:
        """Raise TraceError if a row is bad, naming the first; `{}` in `wrong` is its one of `values`."""
        mask = np.asarray(bad)
        if mask.any():
            row = int(mask.argmax())
            wrong = wrong if values is None else wrong.format(values[row])
            raise TraceError.at(self.path, f"line {self.first + row}", wrong, remedy)


def _head(path: Path, line: bytes, n_pages: int | None) -> Head:
    text = line.decode("utf-8-sig", "replace")
    try:
        names = [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]
    except csv.Error as error:
        raise TraceError.at(path, "line 1", f"is not CSV ({error})", f"the header is {HEADER}") from error
    named = "page" in names or meant("page", names) or "slot" not in names  # is there, or should be
    needed = "size" if n_pages is None else "page" if named else None
    return Head(names, Fields.of(path, "line 1", names, needed))


def _rows(place: Lines, head: Head, block: bytes) -> Rows:
    fields = head.fields
    table = parsed(place.path, block, place.first, head)
    time = None if fields.time is None else _times(place, fields, table[fields.time])
    kind = _kinds(place, table[fields.kind])
    compact, out = kind == COMPACT, (kind == OUT) | (kind == ZERO)
    columns = {}
    for name, needed, remedy in (
        (fields.task, ~compact, "give a whole number, or leave the column out"),
        (fields.slot, ~compact, "give a whole number"),
        (fields.page, kind == OUT, "give the number of its page, counted from 0"),
        (fields.size, out, "give its bytes after compression"),
    ):
        if name is not None:
            place.refuse(np.asarray(pc.is_null(table[name])) & needed, f"{name} is empty", remedy)
            values = np.array(pc.fill_null(table[name], 0), head.dtypes[name])
            columns[name] = values if name == fields.task else np.where(needed, values, values.dtype.type(0))
    page, size, task = (columns.get(name or "") for name in (fields.page, fields.size, fields.task))
    return Rows(kind, columns[fields.slot], time, task, page, size)


def _kinds(place: Lines, texts: Texts) -> npt.NDArray[np.uint8]:
    """Words or their codes."""
    words = [*NAMES, *map(str, range(len(NAMES) - 1))]
    index = pc.index_in(pc.utf8_trim_whitespace(texts), pa.array(words))
    unknown = np.asarray(pc.is_null(index))
    if unknown.any():
        kind = texts[int(unknown.argmax())].as_py()
        wrong = f"kind {kind!r} is unknown{meant(kind or '', NAMES)}"
        place.refuse(unknown, wrong, f"use one of {', '.join(NAMES)}")
    code = np.array(index, np.uint8)
    return np.where(code < len(NAMES), code, code - np.uint8(len(NAMES)))


def _times(place: Lines, fields: Fields, column: Texts) -> npt.NDArray[np.int64]:
    name, remedy = fields.time, "give a whole number" if fields.unit == "ns" else f"give {fields.unit}, or a date"
    place.refuse(pc.is_null(column), f"{name} is empty", remedy)
    if fields.unit == "ns":
        return np.array(column, np.int64)
    numbers, fits = times(column, fields.unit)
    wrong, remedy = f"{name} {{!r}} is no time within 2**63 ns", f"give {fields.unit}, or dates of one form in all rows"
    if not fits.all():
        place.refuse(~fits, wrong, remedy, column.to_pylist())
    return numbers


def _check(place: Lines, fields: Fields, rows: Rows, n_pages: int | None, page_size: int, last: int | None) -> None:
    if rows.page is not None and n_pages is not None:
        bad = (rows.kind == OUT) & ((rows.page < 0) | (rows.page >= n_pages))
        remedy = f"the file of pages has {n_pages}, counted from 0"
        place.refuse(bad, "page {} does not exist", remedy, rows.page)
    if rows.size is not None:
        most = largest(page_size)
        bad = rows.out & ((rows.size < 1) | (rows.size > most))
        remedy = f"give 1 to {most} bytes, or the right page size"
        place.refuse(bad, f"size {{}} is not one of a page of {page_size} bytes", remedy, rows.size)
    if rows.time_ns is not None:
        time = rows.time_ns
        before = np.concatenate(([time[0] if last is None else last], time[:-1]))
        place.refuse(time < before, f"{fields.time} is before that of the line above", "sort the events by time")
