"""Imports events as CSV, with raw pages."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from workloads.permissions import withheld, withholding
from workloads.progress import Progress, silent
from workloads.readers.base import Reader
from workloads.readers.csv_rows import read_rows
from workloads.readers.stream import raw_pages
from workloads.traces.disk import open_trace
from workloads.traces.trace import Trace
from workloads.traces.writer import TraceWriter


def import_csv(
    events: Path | str,
    pages: Path | str,
    out: Path | str,
    name: str | None = None,
    page_size: int = 4096,
    progress: Progress | None = None,
) -> Trace:
    """Make the trace folder `out` of two files, each plain, `.gz` or `.zst`, streaming both.

    `events`: CSV with the columns `ts_ns,kind,pid,slot,page` in any order; kinds are `out`, `out0` (an
    all-zero page), `in`, `free`, `compact`, `lost` (a page-out without contents); `page` is an index into
    `pages` for `out` and is ignored otherwise. `pages`: pages of `page_size` bytes, concatenated.
    `progress` is called with bytes read and bytes in all. Who cannot read `pages` cannot read the trace. Raises
    TraceError naming file and line; then nothing is left on disk.
    """
    events, pages = Path(events), Path(pages)
    total = sum(path.stat().st_size for path in (events, pages) if path.is_file())
    before = 0

    def moved(position: int) -> None:
        (progress or silent)(before + position, total)

    source = {"kind": "csv", "events": events.name, "pages": pages.name}
    with withholding(withheld(pages)), TraceWriter(out, page_size, source, name=name) as writer:
        numbers = np.concatenate(
            [np.empty(0, np.int32), *(writer.add_pages(part) for part in raw_pages(pages, page_size, moved))]
        )
        before = pages.stat().st_size
        zero: int | None = None
        for rows in read_rows(events, len(numbers), moved):
            if zero is None and rows.zero.any():
                zero = int(writer.add_pages(np.zeros((1, page_size), np.uint8))[0])
            writer.add_events(rows.events(numbers, zero))
    return open_trace(out)


class Csv(Reader):
    """Events as CSV, and a file of raw `pages` of `page_size` bytes; see `import_csv`."""

    name: ClassVar[str] = "csv"

    def __init__(self, pages: str, page_size: int = 4096) -> None:
        self.pages, self.page_size = pages, page_size

    def read(self, file: Path, out: Path, name: str | None = None, progress: Progress = silent) -> Trace:
        """See `Reader.read`."""
        return import_csv(file, self.pages, out, name, self.page_size, progress)
