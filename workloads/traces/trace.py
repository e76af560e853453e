"""The trace: events, unique pages and sizes, in memory or on disk alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.limits import check_slots
from workloads.traces.backend import Backend, MemoryBackend
from workloads.traces.events import Events
from workloads.traces.header import Header
from workloads.traces.memory import known_memory, memory_digest, whole_memory
from workloads.traces.moment import Moment, fullest
from workloads.traces.pageindex import PageIndex, check_pages, renumbered
from workloads.traces.reads import Empty, empty_reads
from workloads.traces.sizes import Sizes, check_sizes, sizes_digest
from workloads.traces.slots import check_original, number_events, slots_digest
from workloads.traces.tally import Tally
from workloads.traces.units import Units, find_units

if TYPE_CHECKING:
    import pandas as pd


class Trace:
    """A page-out/page-in trace. Arrays it hands out may be its own: do not write into them.

    Made by `Trace.from_dataframe`, `Trace.from_arrays`, `open_trace`, `import_csv` or a generator's `.trace()`. A trace
    without contents (`content` is false) has `sizes` for at least one codec instead and still replays.
    """

    def __init__(self, header: Header, backend: Backend, path: Path | None = None) -> None:
        """`path` is the folder of a trace on disk."""
        self.header = header
        self.path = path
        self.origin = path  # the folder that the contents come from, also for copies in memory
        self._backend = backend
        self._units: dict[int, Units] = {}

    @classmethod
    def from_arrays(
        cls,
        name: str,
        events: Events,
        pages: npt.NDArray[np.uint8] | None,
        sizes: Mapping[str, Sizes] | None = None,
        source: Mapping[str, Any] | None = None,
        page_size: int = 4096,
        *,
        original_slots: npt.NDArray[np.uint64] | None = None,
        memory: pd.DataFrame | None = None,
    ) -> Trace:
        """Make a trace in memory of `pages` uint8[u, page_size], or of `sizes` alone when `pages` is None.

        Equal pages become one. Sparse slots are numbered without gaps, in their order (`original_slots`); slots that
        are numbered already come with what they were called. `memory` holds samples, with columns as those of
        `Trace.memory`. Raises TraceError for a bad event (naming its row), pages
        of another shape, sizes for another number of pages, or neither pages nor sizes.
        """
        sizes = dict(sizes or {})
        if pages is None:
            unique = _common_length(name, sizes)
            stored, pages_digest = np.empty((0, page_size), np.uint8), sizes_digest(sizes)
        else:
            check_pages(name, pages, page_size)
            index = PageIndex()
            number, kept = index.add(pages)
            unique, stored, pages_digest = len(index), pages, index.digest()
            if unique < len(pages):
                events = renumbered(events, number)
                stored = pages[kept]
                sizes = {codec: table.take(kept) for codec, table in sizes.items()}
        for codec, table in sizes.items():
            check_sizes(name, codec, table, unique, page_size)
        if original_slots is None:
            events, original_slots = number_events(events)
        tally = Tally(name)
        tally.add(events, unique)
        if original_slots is not None:
            check_original(name, original_slots, tally.n_slots)
        if memory is not None:
            memory = whole_memory(name, memory)
        header = Header.of(
            tally,
            name=name,
            page_size=page_size,
            source=dict(source or {}),
            unique_pages=unique,
            content=pages is not None,
            pages_digest=pages_digest,
            slots_digest=None if original_slots is None else slots_digest(original_slots),
            memory_digest=None if memory is None else memory_digest(memory),
        )
        return cls(header, MemoryBackend(events, stored, sizes, original_slots, memory))

    @classmethod
    def open(cls, path: Path | str) -> Trace:
        """Open a folder `NAME.cswap`, as `workloads.open_trace` does."""
        from workloads.traces.disk import open_trace

        return open_trace(path)

    @classmethod
    def from_dataframe(
        cls,
        frame: pd.DataFrame,
        pages: npt.NDArray[np.uint8] | Path | str | None = None,
        sizes: Mapping[str, Any] | npt.ArrayLike | None = None,
        *,
        name: str = "frame",
        page_size: int = 4096,
        unit: str | None = None,
        source: Mapping[str, Any] | None = None,
    ) -> Trace:
        """Make a trace in memory of a data frame of events: `workloads.traces.frame.from_dataframe` tells how."""
        from workloads.traces.frame import from_dataframe

        return from_dataframe(frame, pages, sizes, name=name, page_size=page_size, unit=unit, source=source)

    def to_dataframe(self) -> pd.DataFrame:
        """Return all events as a data frame: `workloads.traces.frame.to_dataframe` tells how."""
        from workloads.traces.frame import to_dataframe

        return to_dataframe(self)

    def save(self, path: Path | str) -> Trace:
        """Write the trace to a folder `NAME.cswap` and open it, as `workloads.save_trace` does."""
        from workloads.traces.copying import save_trace

        return save_trace(self, path)

    @property
    def name(self) -> str:
        """Name, for tables and plots."""
        return self.header.name

    @property
    def page_size(self) -> int:
        """Bytes in a page."""
        return self.header.page_size

    @property
    def source(self) -> dict[str, Any]:
        """How the trace came to be; JSON-safe."""
        return self.header.source

    @property
    def counts(self) -> dict[str, int]:
        """Events of each kind: out, in, free, compact, lost."""
        return self.header.counts

    @property
    def n_events(self) -> int:
        """Events of all kinds."""
        return sum(self.counts.values())

    @property
    def n_slots(self) -> int:
        """Highest slot + 1."""
        return self.header.n_slots

    def original_slots(self) -> npt.NDArray[np.uint64] | None:
        """Return what slots 0, 1, ... were called, uint64[n_slots]; None unless they were numbered anew.

        Raises TraceError when the file of a trace on disk is not what its header promises.
        """
        return self._backend.original_slots()

    @cached_property
    def memory(self) -> pd.DataFrame | None:
        """What the program's memory consisted of, a row a sample; None where the recorder took none.

        Columns int64: `time_ns` on the clock of the events; then bytes: `limit`, `used`, `anon`, `shmem`, `file`,
        `swap_cached`, `kernel`, `page_tables`, `pool` (docs/formats.md), those that the kernel told. Raises TraceError
        when the file of a trace on disk is not what its header promises.
        """
        samples = self._backend.memory()
        return None if samples is None else known_memory(samples)

    @property
    def unique_pages(self) -> int:
        """Pages with different contents."""
        return self.header.unique_pages

    @property
    def content(self) -> bool:
        """Whether the contents of the pages are there."""
        return self.header.content

    @property
    def has_time(self) -> bool:
        """Whether the events carry times."""
        return self.header.span_ns is not None

    @property
    def duration_s(self) -> float | None:
        """Seconds from the first event to the last, None without times."""
        span = self.header.span_ns
        return None if span is None else (span[1] - span[0]) / 1e9

    @property
    def digest(self) -> str:
        """Digest of events and pages in hex; the same in memory and on disk, another one without contents."""
        return self.header.digest

    @property
    def pages_digest(self) -> str:
        """Digest of the unique pages, or of their sizes without contents, in hex: the key of kept sizes."""
        return self.header.pages_digest

    @cached_property
    def fullest(self) -> Moment:
        """The first event after which most slots hold a page, and how many: reads all events, once.

        Raises TraceError for slots that no device has.
        """
        check_slots(self.path or self.name, self.n_slots)
        return fullest(self.batches(), self.n_slots)

    @cached_property
    def empty_reads(self) -> Empty:
        """Page-ins of slots that hold nothing: reads all events, once."""
        return empty_reads(self.batches(), self.n_slots)

    def units(self, unit: int) -> Units:
        """Neighbouring slots that were paged out together, `unit` at once: reads all events, once for each `unit`.

        Raises TraceError for slots that no device has.
        """
        if unit not in self._units:
            check_slots(self.path or self.name, self.n_slots)
            found = find_units(self.batches(), self.n_slots, self.original_slots(), self.page_size, unit)
            self._units[unit] = found
        return self._units[unit]

    def batches(self, size: int = 1 << 18) -> Iterator[Events]:
        """Yield all events in order, at most `size` at once; never holds the whole of a trace on disk."""
        return self._backend.batches(size)

    def page_array(self, start: int, stop: int) -> npt.NDArray[np.uint8]:
        """Return the unique pages start..stop-1 as contiguous uint8[n, page_size], cut off at the last page.

        Raises TraceError when the trace has no contents.
        """
        if not self.content:
            raise TraceError.at(
                self.path or self.name,
                "pages",
                "the trace has no contents",
                f"use its sizes: {self.sizes_codecs()}",
            )
        start = min(max(start, 0), self.unique_pages)
        return self._backend.page_array(start, max(start, min(stop, self.unique_pages)))

    def page_batches(self, size: int = 1024) -> Iterator[npt.NDArray[np.uint8]]:
        """Yield all unique pages in order, at most `size` at once, as `page_array` does."""
        for start in range(0, self.unique_pages, size):
            yield self.page_array(start, start + size)

    def sizes(self, codec: str) -> Sizes | None:
        """Return what the codec makes of the unique pages, or None when that is not known yet."""
        table = self._backend.sizes(codec)
        if table is not None:
            check_sizes(self.path or self.name, codec, table, self.unique_pages, self.page_size)
        return table

    def sizes_codecs(self) -> list[str]:
        """Return the codecs for which sizes are known, sorted."""
        return self._backend.sizes_codecs()

    def __repr__(self) -> str:
        return f"<Trace {self.name}: {self.n_events} events, {self.unique_pages} unique pages>"


def _common_length(name: str, sizes: Mapping[str, Sizes]) -> int:
    if not sizes:
        raise TraceError.at(name, "pages", "neither pages nor sizes were given", "give at least one of them")
    return len(next(iter(sizes.values())))
