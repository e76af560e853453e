"""Verification: every row and every byte of a trace on disk, against what its header says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from workloads.errors import TraceError
from workloads.files import REMEDY
from workloads.progress import Progress, silent
from workloads.traces.digests import digest_file
from workloads.traces.disk import open_trace
from workloads.traces.pageindex import PageIndex
from workloads.traces.parquet import PAGES_FILE
from workloads.traces.trace import Trace


def verify(path: Path | str, progress: Progress | None = None) -> None:
    """Check a trace folder completely; raises TraceError naming the file and, where there is one, the row.

    Rows come first, because they say most; then digests of the decoded data, the sizes, and the files'
    bytes. `progress` is called with rows done and rows in all.
    """
    trace, folder = open_trace(path), Path(path)
    total = trace.n_events + (trace.unique_pages if trace.content else 0)

    def report(done: int) -> None:
        (progress or silent)(done, total)

    _verify_events(trace, report)
    if trace.content:
        verify_pages(trace, folder / PAGES_FILE, lambda pages: report(trace.n_events + pages))
    trace.original_slots()
    _ = trace.memory
    for codec in trace.sizes_codecs():
        _verify_sizes(trace, folder, codec)
    for name, digest in trace.header.files.items():
        if digest_file(folder / name) != digest:
            raise TraceError.at(folder / name, "bytes", "were changed since they were written", REMEDY)


def _verify_events(trace: Trace, report: Callable[[int], None]) -> None:
    """Reading checks them all."""
    done = 0
    for events in trace.batches():
        done += len(events)
        report(done)


def verify_pages(trace: Trace, file: Path, report: Callable[[int], None]) -> None:
    """Compare the digest of all pages with the header's; TraceError names `file`. `report` gets the pages done."""
    index = PageIndex()
    for pages in trace.page_batches():
        row = len(index)
        _, fresh = index.add(pages)
        if len(fresh) < len(pages):
            row += int(np.setdiff1d(np.arange(len(pages)), fresh)[0])
            raise TraceError.at(file, f"row {row}", "holds the same page as a row above", REMEDY)
        report(len(index))
    if index.digest() != trace.pages_digest:
        raise TraceError.at(file, "digest", "of the contents is not that of trace.json", REMEDY)


def _verify_sizes(trace: Trace, folder: Path, codec: str) -> None:
    sizes = trace.sizes(codec)
    if sizes is not None and sizes.meta.get("pages", trace.pages_digest) != trace.pages_digest:
        remedy = "delete the file; sizing the pages again rewrites it"
        raise TraceError.at(folder / "sizes" / f"{codec}.parquet", "meta", "is of other pages", remedy)
