"""Traces written in one call: from streams, or from a trace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.permissions import withheld, withholding
from workloads.progress import Progress, silent
from workloads.traces.disk import open_trace
from workloads.traces.events import Events
from workloads.traces.pageindex import renumbered
from workloads.traces.parquet import PAGES_FILE
from workloads.traces.sizes import Sizes
from workloads.traces.trace import Trace
from workloads.traces.writer import TraceWriter


def write_trace(
    path: Path | str,
    page_size: int,
    source: Mapping[str, Any],
    batches: Iterable[Events],
    pages: Iterable[npt.NDArray[np.uint8]] | None,
    *,
    name: str | None = None,
    sizes: Mapping[str, Sizes] | None = None,
) -> Trace:
    """Write a trace folder and open it; holds a row group of events and one of pages, never more.

    `pages` yields uint8[n, page_size]; the events' page numbers count through all of them, and equal pages
    become one. Without `pages`, `sizes` must be there. Raises TraceError when `path` exists or an event is
    bad; then nothing is left on disk.
    """
    if pages is None and not sizes:
        raise TraceError.at(path, "pages", "neither pages nor sizes were given", "give at least one of them")
    with TraceWriter(path, page_size, source, name=name, content=pages is not None) as writer:
        for codec, table in (sizes or {}).items():
            writer.add_sizes(codec, table)
        if pages is None:
            numbers = np.arange(len(next(iter((sizes or {}).values()))), dtype=np.int32)
        else:
            numbers = np.concatenate([np.empty(0, np.int32), *map(writer.add_pages, pages)])
        for events in batches:
            writer.add_events(renumbered(events, numbers))
    return open_trace(path)


def save_trace(
    trace: Trace,
    path: Path | str,
    *,
    level: int = 3,
    progress: Progress = silent,
) -> Trace:
    """Write any trace to a folder, with everything that is known of it, and open it.

    `level` is zstd's, for the pages; `progress` is called with rows done and rows in all. Who cannot read the contents
    where they come from cannot read the copy. Raises TraceError when `path` exists.
    """
    origin = trace.origin
    kept = withheld(origin, origin / PAGES_FILE) if trace.content and origin else 0
    with (
        withholding(kept),
        TraceWriter(
            path,
            trace.page_size,
            trace.source,
            name=trace.name,
            content=trace.content,
            pages_digest=trace.pages_digest,
            level=level,
        ) as writer,
    ):
        for codec in trace.sizes_codecs():
            table = trace.sizes(codec)
            if table is not None:
                writer.add_sizes(codec, table)
        writer.add_original_slots(trace.original_slots())
        writer.add_memory(trace.memory)
        copy_rows(trace, writer, content=trace.content, progress=progress)
    return open_trace(path)


def copy_rows(trace: Trace, writer: TraceWriter, *, content: bool, progress: Progress) -> None:
    """Add all events of a trace to a writer, and before them its pages if there is to be `content`.

    `progress` is called with rows done and rows in all.
    """
    done, total = 0, trace.n_events + (trace.unique_pages if content else 0)
    for pages in trace.page_batches() if content else ():
        writer.add_pages(pages)
        done += len(pages)
        progress(done, total)
    for events in trace.batches():
        writer.add_events(events)
        done += len(events)
        progress(done, total)
