"""Events as CSV, as people and pandas write them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np

from workloads.progress import Progress
from workloads.readers.base import Batch, Facts, Reader
from workloads.readers.contents import FilePages
from workloads.readers.csv_rows import Rows, read_rows
from workloads.readers.dump import Dump
from workloads.readers.importing import import_file
from workloads.readers.input import Head, Input
from workloads.traces.events import OUT
from workloads.traces.trace import Trace


class Csv(Reader):
    """CSV with a header, columns in any order, others ignored.

    `kind` (`out`, `out0`, an all-zero page, `in`, `free`, `compact`, `lost`, a page-out without contents, or their
    codes), `slot` (up to 2**64-1); perhaps a time (`workloads.traces.fields.TIMES`) and `pid`. With pages in another
    file perhaps `page`, of an `out` the index of its page there; without one, `size`, the bytes of each page-out after
    compression.
    """

    name: ClassVar[str] = "csv"
    title: ClassVar[str] = "events as CSV"

    @classmethod
    def sniff(cls, head: Head) -> bool:
        """By the columns `kind` and `slot`."""
        names = (
            {name.strip(b' "\t') for name in head.lines[0].removeprefix(b"\xef\xbb\xbf").split(b",")}
            if head.lines
            else set()
        )
        return names >= {b"kind", b"slot"}

    def read(self, file: Input, facts: Facts) -> Iterator[Batch]:
        """See `Reader.read`."""
        for rows in read_rows(file):
            yield _batch(rows)


def import_csv(
    events: Path | str,
    pages: Path | str | None,
    out: Path | str,
    name: str | None = None,
    page_size: int = 4096,
    progress: Progress | None = None,
) -> Trace:
    """Make the trace folder `out` of events (`Csv`) and perhaps their `pages`, of `page_size` bytes, concatenated.

    Each file is plain, `.gz`, `.zst` or `.xz`, and streamed. Without `pages` the trace has no contents. See
    `workloads.readers.importing.import_file`.
    """
    contents = None if pages is None else FilePages(Path(pages), Dump())
    return import_file(events, out, Csv(), name=name, page_size=page_size, contents=contents, progress=progress)


def _batch(rows: Rows) -> Batch:
    out, zero = rows.out, rows.zero[rows.out]
    kind = np.where(rows.zero, np.uint8(OUT), rows.kind)
    page = None if rows.page is None else np.where(zero, -1, rows.page[out])
    size = None if rows.size is None else rows.size[out]
    return Batch(kind, rows.slot, rows.time_ns, rows.task, page=page, size=size, zero=None if size is None else zero)
