"""Parquet as traces use it: schemas, and the library's errors turned into TraceErrors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from workloads.errors import TraceError
from workloads.files import REMEDY, arrow_file
from workloads.limits import check_growth
from workloads.traces.events import DTYPES, Events
from workloads.traces.memory import COLUMNS

if TYPE_CHECKING:
    import pandas as pd

EVENTS_FILE = "events.parquet"
PAGES_FILE = "pages.parquet"
SLOTS_FILE = "slots.parquet"
MEMORY_FILE = "memory.parquet"
EVENTS_GROUP = 1 << 18  # rows of a row group: what a reader holds at once
PAGES_GROUP = 1024

# Limits on foreign files; what cswap writes stays far below.
GROUPS = 1 << 16  # row groups of a file
GROUP_BYTES = 1 << 26  # of a column in a row group, decoded
SLACK = 1 << 17  # bytes of a column chunk besides its values
THRIFT = 1 << 20  # bytes of a text, items of a list in a footer


@contextmanager
def reading(path: Path, place: str, remedy: str) -> Iterator[None]:
    """Turn what pyarrow raises on a missing, truncated or damaged file into a TraceError."""
    try:
        yield
    except FileNotFoundError as error:
        raise TraceError.at(path, "file", "is missing", remedy) from error
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise TraceError.at(path, place, f"cannot be read ({error})", remedy) from error


def open_parquet(path: Path, schema: pa.Schema, rows: int | None, remedy: str = REMEDY) -> pq.ParquetFile:
    """Open a file of a trace; TraceError unless its columns, its rows, where they are known, and its groups are right.

    Nothing is decompressed before it is known how much it becomes.
    """
    source = arrow_file(path, remedy)
    size = source.size()
    with reading(path, "Parquet", remedy):
        file = pq.ParquetFile(
            source,
            page_checksum_verification=True,
            thrift_string_size_limit=THRIFT,
            thrift_container_size_limit=THRIFT,
        )
        found = file.schema_arrow.remove_metadata()
        about = file.metadata
    if not found.equals(schema):
        wrong = ", ".join(f"{f.name} {f.type}" for f in found)
        want = ", ".join(f"{f.name} {f.type}" for f in schema)
        raise TraceError.at(path, "columns", f"are {wrong[:500]}, not {want}", remedy)
    if about.num_rows != rows and rows is not None:
        raise TraceError.at(path, "rows", f"are {about.num_rows}, trace.json says {rows}", remedy)
    check_growth(path, "rows", size, about.num_rows * sum(map(_width, schema)))
    _check_groups(path, about, schema, remedy)
    return file


def _check_groups(path: Path, about: pq.FileMetaData, schema: pa.Schema, remedy: str) -> None:
    """Raise TraceError unless every row group is small enough to be read at once, and together they are the rows."""
    if about.num_row_groups > GROUPS:
        raise TraceError.at(path, "row groups", f"are {about.num_row_groups}, at most {GROUPS}", remedy)
    most = GROUP_BYTES // max(map(_width, schema))
    rows = 0
    for number in range(about.num_row_groups):
        group = about.row_group(number)
        rows += group.num_rows
        place = f"row group {number}"
        if not 0 <= group.num_rows <= most:
            raise TraceError.at(path, place, f"has {group.num_rows} rows, at most {most}", remedy)
        for index, field in enumerate(schema):
            column = group.column(index)
            usual = 2 * group.num_rows * _width(field) + SLACK
            if column.num_values != group.num_rows or not 0 <= column.total_uncompressed_size <= usual:
                wrong = f"has {column.num_values} values in {column.total_uncompressed_size:,} bytes"
                wrong += f" for {group.num_rows} rows"
                raise TraceError.at(path, f"{place}, column {field.name}", wrong, remedy)
    if rows != about.num_rows:
        raise TraceError.at(path, "row groups", f"have {rows} rows, the file says {about.num_rows}", remedy)


def _width(field: pa.Field) -> int:
    """Bytes of a value."""
    return int(-(-field.type.bit_width // 8))


def events_schema(has_time: bool, has_task: bool) -> pa.Schema:
    """Return the schema of `events.parquet`."""
    absent = {"time_ns": not has_time, "task": not has_task}
    fields = [(name, pa.from_numpy_dtype(t)) for name, t in DTYPES.items() if not absent.get(name)]
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in fields])


def events_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Open `events.parquet` for writing: numbers as differences, so that runs of slots cost little."""
    few = [name for name in ("kind", "task") if name in schema.names]
    differences = {n: "DELTA_BINARY_PACKED" for n in ("slot", "page", "time_ns") if n in schema.names}
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        compression_level=9,
        use_dictionary=few,
        column_encoding=differences,
        write_statistics=False,
        write_page_checksum=True,
    )


def events_table(events: Events, schema: pa.Schema) -> pa.Table:
    """Return a batch as an Arrow table."""
    return pa.table([pa.array(column) for column in events.columns().values()], schema=schema)


def events_batch(batch: pa.RecordBatch) -> Events:
    """Return an Arrow record batch as events: writable contiguous arrays of their own."""
    columns = {name: np.array(batch.column(name), DTYPES[name]) for name in batch.schema.names}
    return Events(**columns)


def pages_schema(page_size: int) -> pa.Schema:
    """Return the schema of `pages.parquet`."""
    return pa.schema([pa.field("content", pa.binary(page_size), nullable=False)])


def slots_schema() -> pa.Schema:
    """Return the schema of `slots.parquet`."""
    return pa.schema([pa.field("slot", pa.uint64(), nullable=False)])


def write_slots(path: Path, slots: npt.NDArray[np.uint64]) -> None:
    """Write `slots.parquet`."""
    _write_numbers(path, pa.table([pa.array(slots)], schema=slots_schema()))


def memory_schema() -> pa.Schema:
    """Return the schema of `memory.parquet`."""
    return pa.schema([pa.field(name, pa.int64(), nullable=False) for name in COLUMNS])


def write_memory(path: Path, frame: pd.DataFrame) -> None:
    """Write `memory.parquet`."""
    columns = [pa.array(frame[name].to_numpy()) for name in COLUMNS]
    _write_numbers(path, pa.table(columns, schema=memory_schema()))


def _write_numbers(path: Path, table: pa.Table) -> None:
    """Write columns of whole numbers as differences."""
    pq.write_table(
        table,
        path,
        row_group_size=EVENTS_GROUP,
        compression="zstd",
        use_dictionary=False,
        column_encoding=dict.fromkeys(table.column_names, "DELTA_BINARY_PACKED"),
        write_statistics=False,
        write_page_checksum=True,
    )


def pages_writer(path: Path, page_size: int, level: int) -> pq.ParquetWriter:
    """Open `pages.parquet` for writing; a row group is one compressed block, so pages help each other."""
    return pq.ParquetWriter(
        path,
        pages_schema(page_size),
        compression="zstd",
        compression_level=level,
        use_dictionary=False,
        data_page_size=PAGES_GROUP * page_size,
        max_rows_per_page=PAGES_GROUP,
        write_statistics=False,
        write_page_checksum=True,
    )


def pages_table(pages: npt.NDArray[np.uint8]) -> pa.Table:
    """Return uint8[n, page_size] as an Arrow table, without copying contiguous pages."""
    schema = pages_schema(pages.shape[1])
    buffer = pa.py_buffer(np.ascontiguousarray(pages))
    column = pa.FixedSizeBinaryArray.from_buffers(schema.field(0).type, len(pages), [None, buffer])
    return pa.table([column], schema=schema)


def pages_array(table: pa.Table, page_size: int) -> npt.NDArray[np.uint8]:
    """Return the pages of an Arrow table as uint8[n, page_size], writable, contiguous, a copy."""
    parts = [
        np.frombuffer(chunk.buffers()[1], np.uint8, len(chunk) * page_size, chunk.offset * page_size)
        for chunk in table.column(0).chunks
        if len(chunk)
    ]
    return np.concatenate([np.empty(0, np.uint8), *parts]).reshape(-1, page_size)
