"""Parquet as traces use it: schemas, and the library's errors turned into TraceErrors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from workloads.errors import TraceError
from workloads.events import DTYPES, Events

EVENTS_FILE = "events.parquet"
PAGES_FILE = "pages.parquet"
EVENTS_GROUP = 1 << 18  # rows of a row group: what a reader holds at once
PAGES_GROUP = 1024


@contextmanager
def reading(path: Path, place: str, remedy: str) -> Iterator[None]:
    """Turn what pyarrow raises on a missing, truncated or damaged file into a TraceError."""
    try:
        yield
    except FileNotFoundError as error:
        raise TraceError.at(path, "file", "is missing", remedy) from error
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise TraceError.at(path, place, f"cannot be read ({error})", remedy) from error


def open_parquet(path: Path, schema: pa.Schema, rows: int) -> pq.ParquetFile:
    """Open a file of a trace and compare its schema and row count with what the header promises."""
    remedy = "restore the file from a good copy"
    with reading(path, "Parquet", remedy):
        file = pq.ParquetFile(path, page_checksum_verification=True)
        found = file.schema_arrow.remove_metadata()
        count = file.metadata.num_rows
    if not found.equals(schema):
        wrong = ", ".join(f"{f.name} {f.type}" for f in found)
        want = ", ".join(f"{f.name} {f.type}" for f in schema)
        raise TraceError.at(path, "columns", f"are {wrong}, not {want}", remedy)
    if count != rows:
        raise TraceError.at(path, "rows", f"are {count}, trace.json says {rows}", remedy)
    return file


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
