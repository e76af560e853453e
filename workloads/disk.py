"""A trace on disk: opened in no time, read a row group at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from workloads.errors import TraceError
from workloads.events import Events
from workloads.header import Header
from workloads.parquet import (
    EVENTS_FILE,
    PAGES_FILE,
    events_batch,
    events_schema,
    open_parquet,
    pages_array,
    pages_schema,
    reading,
)
from workloads.sizes import Sizes, read_sizes, sizes_path
from workloads.trace import Trace

REMEDY = "restore the file from a good copy"


class DiskBackend:
    """The files of a folder `NAME.cswap`. Holds one row group of pages, the last one asked for."""

    def __init__(self, path: Path, header: Header) -> None:
        """Open the files; TraceError when one is missing, damaged at its ends, or not as the header says."""
        self._path = path
        self._header = header
        self._events = open_parquet(
            path / EVENTS_FILE,
            events_schema(header.span_ns is not None, header.tasks),
            sum(header.counts.values()),
        )
        self._pages: pq.ParquetFile | None = None
        self._starts = np.zeros(1, np.int64)
        if header.content:
            file = open_parquet(path / PAGES_FILE, pages_schema(header.page_size), header.unique_pages)
            rows = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
            self._pages, self._starts = file, np.cumsum([0, *rows])
        self._cached = -1
        self._group = np.empty((0, header.page_size), np.uint8)

    def __reduce__(self) -> tuple[type[DiskBackend], tuple[Path, Header]]:
        """Pickle as the path: another process opens the files for itself."""
        return DiskBackend, (self._path, self._header)

    def batches(self, size: int) -> Iterator[Events]:
        """Decode `size` rows at once, row group by row group."""
        path, row = self._path / EVENTS_FILE, 0
        batches = self._events.iter_batches(batch_size=size, use_threads=False)
        while True:
            with reading(path, f"after row {row}", REMEDY):
                batch = next(batches, None)
                if batch is None:
                    return
                events = events_batch(batch)
            row += len(events)
            yield events

    def page_array(self, start: int, stop: int) -> npt.NDArray[np.uint8]:
        """Return a view of the cached row group, or a copy when several are touched."""
        first = int(np.searchsorted(self._starts, start, side="right")) - 1
        last = int(np.searchsorted(self._starts, stop, side="left")) - 1
        parts = []
        for group in range(first, last + 1):
            begin = int(self._starts[group])
            parts.append(self._row_group(group)[max(start - begin, 0) : stop - begin])
        if len(parts) == 1:
            return parts[0]
        return np.concatenate([self._group[:0], *parts])

    def _row_group(self, group: int) -> npt.NDArray[np.uint8]:
        if group != self._cached:
            assert self._pages is not None
            with reading(self._path / PAGES_FILE, f"after row {self._starts[group]}", REMEDY):
                table = self._pages.read_row_group(group, use_threads=False)
            self._group, self._cached = pages_array(table, self._header.page_size), group
        return self._group

    def sizes(self, codec: str) -> Sizes | None:
        """Read `sizes/CODEC.parquet`."""
        path = sizes_path(self._path, codec)
        return read_sizes(path) if path.exists() else None

    def sizes_codecs(self) -> list[str]:
        """List `sizes/`."""
        return sorted(p.stem for p in (self._path / "sizes").glob("[!.]*.parquet"))


def open_trace(path: Path | str) -> Trace:
    """Open a folder `NAME.cswap`, reading only its header and the ends of its files.

    Raises TraceError when something is missing, truncated, of another format version, or when row counts
    or columns are not those of `trace.json`. `verify` finds the rest.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise TraceError.at(folder, "folder", "is no trace", "give the folder NAME.cswap of a trace")
    header = Header.read(folder)
    trace = Trace(header, DiskBackend(folder, header), folder)
    if not header.content and not trace.sizes_codecs():
        raise TraceError.at(
            folder, "sizes", "there are neither contents nor sizes", "restore the folder from a good copy"
        )
    return trace
