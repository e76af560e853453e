"""Writing a trace folder: streamed, deduplicated, and there only when it is complete."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from workloads.errors import TraceError
from workloads.partfolder import PartFolder
from workloads.traces import parquet
from workloads.traces.behind import Behind
from workloads.traces.digests import digest_file
from workloads.traces.events import Events, concat
from workloads.traces.header import Header
from workloads.traces.header_file import check_name
from workloads.traces.memory import joined_memory, memory_digest, whole_memory
from workloads.traces.pageindex import PageIndex, check_pages
from workloads.traces.sizes import GIVEN, Sizes, check_sizes, sizes_digest, sizes_path, write_sizes
from workloads.traces.slots import check_original, slots_digest
from workloads.traces.tally import Tally

if TYPE_CHECKING:
    import pandas as pd


def check_new(path: Path | str) -> Path:
    """Return the path of a trace that is to be made; TraceError when it exists, its parent does not, or by its name."""
    path = Path(path)
    if path.exists():
        raise TraceError.at(path, "folder", "exists", "remove it or choose another name")
    if not path.parent.is_dir():
        raise TraceError.at(path.parent, "folder", "does not exist", "create it first")
    check_name(path, _name(path))
    return path


def _name(path: Path) -> str:
    return path.name.removesuffix(".cswap")


class TraceWriter:
    """Writes a trace into a hidden folder beside `path`; leaving the `with` block renames it to `path`.

    Any exception, Ctrl-C among them, removes it instead. Add pages before the events that refer to them.
    """

    def __init__(
        self,
        path: Path | str,
        page_size: int,
        source: Mapping[str, Any],
        *,
        name: str | None = None,
        content: bool = True,
        pages_digest: str | None = None,
        level: int = 3,
    ) -> None:
        """`name` defaults to that of the folder; `level` is zstd's, for pages.

        Without `content` add sizes instead of pages, or pages of which nothing is known; `pages_digest` then says of
        which pages they are, by default a digest of the sizes. Raises TraceError when `path` exists or its parent does
        not.
        """
        self.path = check_new(path)
        self._facts: dict[str, Any] = {
            "name": check_name(self.path, _name(self.path) if name is None else name),
            "page_size": page_size,
            "source": dict(source),
            "content": content,
        }
        self._page_size, self._content, self._level = page_size, content, level
        self._stripped_digest = pages_digest
        self._part = PartFolder(self.path)
        self._tally = Tally(self.path)
        self._index = PageIndex()
        self._sizes: dict[str, Sizes] = {}
        self._unknown = 0  # pages of which nothing is known
        self._slots: npt.NDArray[np.uint64] | None = None
        self._memory: list[pd.DataFrame] = []
        self._events: list[Events] = []  # waiting until they fill a row group
        self._group = np.empty((parquet.PAGES_GROUP if content else 0, page_size), np.uint8)
        self._filled = 0  # pages waiting in _group
        self._behind = Behind("pages")  # compresses them
        self._events_file: pq.ParquetWriter | None = None
        self._pages_file: pq.ParquetWriter | None = None

    def __enter__(self) -> TraceWriter:
        self._part.make()
        if self._content:
            path = self._part.new(parquet.PAGES_FILE)
            self._pages_file = parquet.pages_writer(path, self._page_size, self._level)
        return self

    def add_pages(self, pages: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
        """Add uint8[n, page_size]; return the numbers by which events refer to them."""
        check_pages(self.path, pages, self._page_size)
        numbers, fresh = self._index.add(pages)
        for row in fresh:
            self._group[self._filled] = pages[row]
            self._filled += 1
            if self._filled == len(self._group):
                self._flush_pages()
        return numbers

    def add_sizes(self, codec: str, sizes: Sizes) -> None:
        """Add what a codec makes of the unique pages."""
        sizes_path(self._part.path, codec)  # refuses a bad name
        meta = {**sizes.meta, "codec": codec if sizes.meta.get("codec") != GIVEN else GIVEN}
        self._sizes[codec] = replace(sizes, meta=meta)

    def add_unknown(self, count: int) -> None:
        """Add pages of which neither contents nor sizes are known."""
        self._unknown += count

    def add_source(self, facts: Mapping[str, Any]) -> None:
        """Tell more of where the trace comes from."""
        self._facts["source"] |= facts

    def withhold(self, bits: int) -> None:
        """Let nobody have these permissions, as in a umask: those of what the trace is made of."""
        self._part.withhold(bits)

    def add_original_slots(self, slots: npt.NDArray[np.uint64] | None) -> None:
        """Keep what the slots were called before they were numbered, uint64[n_slots]; None if they were not."""
        self._slots = slots

    def add_memory(self, samples: pd.DataFrame | None) -> None:
        """Add samples of the program's memory, after those added before; TraceError if they cannot be."""
        if samples is not None:
            self._memory.append(whole_memory(self.path, samples))

    def add_events(self, events: Events) -> None:
        """Add events; TraceError names the first bad row of the whole trace."""
        self._tally.add(events, self._unique_pages())
        if len(events):
            self._events.append(events)
        if sum(map(len, self._events)) >= parquet.EVENTS_GROUP:
            self._flush_events()

    def _unique_pages(self) -> int:
        if self._content:
            return len(self._index)
        return len(next(iter(self._sizes.values()))) if self._sizes else self._unknown

    def _flush_pages(self) -> None:
        assert self._pages_file is not None
        self._behind.do(self._pages_file.write_table, parquet.pages_table(self._group[: self._filled]))
        self._group, self._filled = np.empty_like(self._group), 0

    def _flush_events(self) -> None:
        schema = parquet.events_schema("time_ns" in self._tally.columns, "task" in self._tally.columns)
        if self._events_file is None:
            self._events_file = parquet.events_writer(self._part.new(parquet.EVENTS_FILE), schema)
        if self._events:
            table = parquet.events_table(concat(self._events), schema)
            self._events_file.write_table(table, row_group_size=parquet.EVENTS_GROUP)
        self._events = []

    def _finish(self) -> None:
        self._flush_events()
        if self._filled:
            self._flush_pages()
        self._behind.wait()
        self._close()
        for codec, sizes in self._sizes.items():
            check_sizes(self.path, codec, sizes, self._unique_pages(), self._page_size)
            write_sizes(sizes_path(self._part.path, codec), sizes)
        if self._content:
            pages_digest = self._index.digest()
        else:
            pages_digest = self._stripped_digest or sizes_digest(self._sizes)
        if self._slots is not None:
            check_original(self.path, self._slots, self._tally.n_slots)
            parquet.write_slots(self._part.new(parquet.SLOTS_FILE), self._slots)
        memory = joined_memory(self._memory)
        if memory is not None:
            parquet.write_memory(self._part.new(parquet.MEMORY_FILE), whole_memory(self.path, memory))
        files = {p.name: digest_file(p) for p in sorted(self._part.path.glob("*.parquet"))}
        header = Header.of(
            self._tally,
            **self._facts,
            unique_pages=self._unique_pages(),
            pages_digest=pages_digest,
            slots_digest=None if self._slots is None else slots_digest(self._slots),
            memory_digest=None if memory is None else memory_digest(memory),
            files=files,
        )
        header.write(self._part.path)
        self._part.become(self.path)

    def _close(self) -> None:
        self._behind.close()
        for file in (self._events_file, self._pages_file):
            if file is not None:
                file.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            with suppress(Exception):  # the error under way matters more
                self._close()
            self._part.remove()
