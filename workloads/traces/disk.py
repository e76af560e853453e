"""A trace on disk: opened in no time, read a row group at once."""

from __future__ import annotations

import mmap
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from workloads.errors import TraceError
from workloads.files import REMEDY
from workloads.traces.digests import DigestBehind
from workloads.traces.events import Events
from workloads.traces.header import Header
from workloads.traces.memory import memory_digest, whole_memory
from workloads.traces.parquet import (
    EVENTS_FILE,
    MEMORY_FILE,
    PAGES_FILE,
    SLOTS_FILE,
    events_batch,
    events_schema,
    memory_schema,
    open_parquet,
    pages_array,
    pages_schema,
    reading,
    slots_schema,
)
from workloads.traces.sizes import SIZES, Sizes, is_codec, read_sizes, sizes_digest, sizes_path
from workloads.traces.slots import check_original, slots_digest
from workloads.traces.tally import Tally
from workloads.traces.trace import Trace

if TYPE_CHECKING:
    import pandas as pd


class DiskBackend:
    """The files of a folder `NAME.cswap`. Holds one row group of pages, the last one asked for.

    Traces may be foreign, so every event is checked against the header as it is read, and after the last
    one the counts and, in the first complete pass, the digest. Of a trace without contents the sizes are.
    """

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
        self._slots: pq.ParquetFile | None = None
        if header.slots_digest is not None:
            self._slots = open_parquet(path / SLOTS_FILE, slots_schema(), header.n_slots)
        self._memory: pq.ParquetFile | None = None
        if header.memory_digest is not None:
            self._memory = open_parquet(path / MEMORY_FILE, memory_schema(), None)
        self._cached = -1
        self._group = np.empty((0, header.page_size), np.uint8)
        self._verified = mmap.mmap(-1, 1)  # whether the digest was seen to be right; shared with forked workers
        _check_folder(path / SIZES)
        self._sizes_checked = header.content

    def __reduce__(self) -> tuple[type[DiskBackend], tuple[Path, Header]]:
        """Pickle as the path: another process opens the files for itself."""
        return DiskBackend, (self._path, self._header)

    def batches(self, size: int) -> Iterator[Events]:
        """Decode `size` rows at once, row group by row group; TraceError, at the latest after the last, as above."""
        header, path = self._header, self._path / EVENTS_FILE
        tally = Tally(path, n_slots=header.n_slots, hashed=False)
        digest = None if self._verified[0] else DigestBehind()
        try:
            for events in self._decoded(size):
                tally.add(events, header.unique_pages)
                if digest is not None:
                    digest.add(events)
                yield events
            header.check(tally, None if digest is None else digest.hexdigest())
            self._verified[0] = 1
        finally:
            if digest is not None:
                digest.close()

    def _decoded(self, size: int) -> Iterator[Events]:
        path, row = self._path / EVENTS_FILE, 0
        batches = self._events.iter_batches(batch_size=size, use_threads=False)
        while True:
            with reading(path, f"after row {row}", REMEDY):
                batch = next(batches, None)
                if batch is None:
                    return
                events = events_batch(batch)
            row += len(events)
            if len(events):
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

    def original_slots(self) -> npt.NDArray[np.uint64] | None:
        """Read `slots.parquet`; TraceError when a slot is there twice, or they are not those of the header."""
        if self._slots is None:
            return None
        path = self._path / SLOTS_FILE
        with reading(path, "Parquet", REMEDY):
            table = self._slots.read(use_threads=False)
        slots = np.array(table.column("slot").to_numpy(), np.uint64)
        check_original(path, slots, self._header.n_slots)
        if slots_digest(slots) != self._header.slots_digest:
            raise TraceError.at(path, "digest", "of the slots is not that of trace.json", REMEDY)
        return slots

    def memory(self) -> pd.DataFrame | None:
        """Read `memory.parquet`; TraceError when a sample cannot be, or they are not those of the header."""
        if self._memory is None:
            return None
        path = self._path / MEMORY_FILE
        with reading(path, "Parquet", REMEDY):
            table = self._memory.read(use_threads=False)
        frame = whole_memory(path, table.to_pandas())
        if memory_digest(frame) != self._header.memory_digest:
            raise TraceError.at(path, "digest", "of the samples is not that of trace.json", REMEDY)
        return frame

    def sizes(self, codec: str) -> Sizes | None:
        """Read `sizes/CODEC.parquet`."""
        path = sizes_path(self._path, codec)
        if not path.exists():
            return None
        self._check_sizes()
        return self._read_sizes(codec)

    def sizes_codecs(self) -> list[str]:
        """List `sizes/`; files not named after a compressor do not belong to the trace."""
        return sorted(p.stem for p in (self._path / SIZES).glob("[!.]*.parquet") if is_codec(p.stem))

    def _read_sizes(self, codec: str) -> Sizes:
        return read_sizes(sizes_path(self._path, codec), self._header.unique_pages, self._header.page_size)

    def _check_sizes(self) -> None:
        """Without contents figures rest on the sizes alone: TraceError unless all of them are the trace's own."""
        if not self._sizes_checked:
            tables = {codec: self._read_sizes(codec) for codec in self.sizes_codecs()}
            if sizes_digest(tables) != self._header.pages_digest:
                wrong = f"of {', '.join(tables)} are not those that trace.json was written for"
                raise TraceError.at(self._path / SIZES, "digest", wrong, "restore the folder from a good copy")
            self._sizes_checked = True


def _check_folder(folder: Path) -> None:
    """Raise TraceError if `sizes` is a link, or contains anything but regular files."""
    if folder.is_symlink():
        raise TraceError.at(folder, "folder", "is a symbolic link", "give the folder itself, with its files in it")
    for path in folder.iterdir() if folder.is_dir() else ():
        if not stat.S_ISREG(path.lstat().st_mode):
            raise TraceError.at(path, "file", "is not a regular file", "remove it, or restore it from a good copy")


def open_trace(path: Path | str) -> Trace:
    """Open a folder `NAME.cswap`, reading only its header and the ends of its files.

    Raises TraceError when something is missing, truncated, no regular file, of another format version or too large, or
    when row counts or columns are not those of `trace.json`. Events are checked as they are read; `verify` finds the
    rest.
    """
    folder = Path(path)
    header = Header.read(folder)
    trace = Trace(header, DiskBackend(folder, header), folder)
    nothing = header.pages_digest == sizes_digest({})  # never had either, as imported events of which no more is known
    if not header.content and not trace.sizes_codecs() and not nothing:
        raise TraceError.at(
            folder, "sizes", "there are neither contents nor sizes", "restore the folder from a good copy"
        )
    return trace
