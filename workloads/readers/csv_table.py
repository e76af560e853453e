"""A block of CSV as columns of their types; what cannot be one is explained by line."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import ConvertOptions, ParseOptions, ReadOptions, read_csv

from workloads.errors import TraceError
from workloads.readers.csv_text import NULLS, is_time, is_whole, whole_numbers
from workloads.traces.fields import Fields

Texts = pa.ChunkedArray


@dataclass(frozen=True)
class Head:
    """The header: all names, and which of them matter."""

    names: list[str]
    fields: Fields

    @cached_property
    def dtypes(self) -> dict[str, np.dtype[Any]]:
        """The types of the columns of whole numbers."""
        fields = self.fields
        types: dict[str | None, type[np.integer[Any]]] = {
            fields.time if fields.unit == "ns" else None: np.int64,
            fields.task: np.int32,
            fields.slot: np.uint64,
            fields.page: np.int64,
            fields.size: np.int32,
        }
        return {name: np.dtype(kind) for name, kind in types.items() if name is not None}

    @cached_property
    def texts(self) -> list[str]:
        """The columns of texts: kinds, and times that may have a fraction or be dates."""
        fields = self.fields
        return [fields.kind, *([fields.time] if fields.time and fields.unit != "ns" else [])]


def parsed(path: Path, block: bytes, line: int, head: Head) -> pa.Table:
    """Parse lines, the first of which has number `line`; TraceError names the first bad one."""
    numbers = {name: pa.from_numpy_dtype(dtype) for name, dtype in head.dtypes.items()}
    texts = dict.fromkeys(head.texts, pa.string())
    try:
        try:
            table = _read(block, head, numbers | texts)
        except pa.ArrowInvalid:  # perhaps floats: pandas writes them where a column has gaps
            table = _read(block, head, dict.fromkeys(numbers, pa.string()) | texts)
            for name, kind in numbers.items():
                column = table[name]
                typed = whole_numbers(column, kind, floats=name != head.fields.time)
                table = table.set_column(table.schema.get_field_index(name), name, typed)
    except pa.ArrowInvalid as error:
        raise explained(path, block, line, head, str(error)) from error
    time = head.fields.time
    if time in texts:
        nothing = pc.is_in(pc.utf8_trim_whitespace(table[time]), pa.array(NULLS))
        table = table.set_column(table.schema.get_field_index(time), time, pc.if_else(nothing, None, table[time]))
    return table


def _read(block: bytes, head: Head, types: dict[str, pa.DataType]) -> pa.Table:
    return read_csv(
        pa.BufferReader(block),
        ReadOptions(column_names=head.names, use_threads=False, block_size=len(block) + 1),
        ParseOptions(ignore_empty_lines=False),
        ConvertOptions(column_types=types, include_columns=list(types), null_values=NULLS),
    )


def explained(path: Path, block: bytes, line: int, head: Head, text: str) -> TraceError:
    """Find the line the parser stumbled over; `text` is the parser's own message, used when none is found."""
    for number, raw in enumerate(block.splitlines(), line):
        place = f"line {number}"
        try:
            row = next(csv.reader([raw.decode()]), [])
        except UnicodeDecodeError:
            return TraceError.at(path, place, "is not UTF-8 text", "give UTF-8")
        except csv.Error as error:
            return TraceError.at(path, place, f"is not CSV ({error})", "give CSV of one line per row")
        if len(row) != len(head.names) and raw.strip():
            wrong = f"has {len(row)} columns, the header {len(head.names)}"
            return TraceError.at(path, place, wrong, "give every row the same columns")
        for name, value in zip(head.names, row, strict=False):
            if name in head.dtypes and (fault := _fault(name, value, head)):
                return TraceError.at(path, place, *fault)
    return TraceError.at(path, f"line {line} or below", text, "give CSV of one line per row")


def _fault(name: str, value: str, head: Head) -> tuple[str, str] | None:
    """What is wrong with a value, and the remedy."""
    dtype, fields = head.dtypes[name], head.fields
    if is_whole(value, dtype) and not (name == fields.time and "." in value):
        return None
    if name == fields.slot and is_whole(value, np.dtype(np.int64)):
        return "slot is negative", "slots count from 0"
    wrong = f"{name} {value!r} is not a number of type {dtype}"
    if name == fields.time and is_time(value):
        return wrong, "give whole nanoseconds, or call the column time_s if these are seconds"
    return wrong, "give a whole number"
