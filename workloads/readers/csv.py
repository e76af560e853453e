"""Imports events as CSV, with raw pages."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from workloads.permissions import withheld, withholding
from workloads.progress import Progress, silent
from workloads.readers.base import Reader
from workloads.readers.csv_rows import Rows, read_rows
from workloads.readers.dump import FilesRead, add_pages
from workloads.traces.disk import open_trace
from workloads.traces.events import COMPACT
from workloads.traces.sizes import GIVEN, Sizes
from workloads.traces.slots import Names, numbering
from workloads.traces.trace import Trace
from workloads.traces.writer import TraceWriter


def import_csv(
    events: Path | str,
    pages: Path | str | None,
    out: Path | str,
    name: str | None = None,
    page_size: int = 4096,
    progress: Progress | None = None,
) -> Trace:
    """Make the trace folder `out` of one or two files, each plain, `.gz` or `.zst`, streaming them.

    `events`: CSV with a header, columns in any order, others ignored: `kind` (`out`, `out0`, an all-zero page, `in`,
    `free`, `compact`, `lost`, a page-out without contents, or their codes), `slot` (up to 2**64-1), `page` (of an
    `out`, an index into `pages`); perhaps a time (`workloads.traces.fields.TIMES`) and `pid`. `pages`: pages of
    `page_size` bytes, concatenated; without them the column `size` has the bytes of each page-out after compression,
    and the trace has no contents. `progress` is called with bytes read and bytes in all. Who cannot read `pages` cannot
    read the trace. Raises TraceError naming file and line; then nothing is left on disk.
    """
    events, pages = Path(events), None if pages is None else Path(pages)
    moved = FilesRead(progress or silent, events, events, *([] if pages is None else [pages]))
    source = {"kind": "csv", "events": events.name} | ({} if pages is None else {"pages": pages.name})
    with (
        withholding(0 if pages is None else withheld(pages)),
        TraceWriter(out, page_size, source, name=name, content=pages is not None) as writer,
    ):
        numbers = None if pages is None else add_pages(writer, pages, page_size, moved)
        seen, n_pages = _Seen(), None if numbers is None else len(numbers)
        for rows in read_rows(events, n_pages, page_size, moved):
            seen.add(rows)
        moved.passed(events)
        zero = -1
        if numbers is None:
            writer.add_sizes(GIVEN, seen.sizes())
        elif seen.zero:
            zero = int(writer.add_pages(np.zeros((1, page_size), np.uint8))[0])
        names = numbering(seen.slots())
        writer.add_original_slots(names)
        done = 0
        for rows in read_rows(events, n_pages, page_size, moved):
            unique = (
                np.arange(done, done + np.count_nonzero(rows.out)) if numbers is None else rows.pages(numbers, zero)
            )
            done += len(unique)
            writer.add_events(rows.events(unique.astype(np.int32), names))
    return open_trace(out)


class Csv(Reader):
    """Events as CSV, and perhaps a file of raw `pages` of `page_size` bytes; see `import_csv`."""

    name: ClassVar[str] = "csv"

    def __init__(self, pages: str | None = None, page_size: int = 4096) -> None:
        self.pages, self.page_size = pages, page_size

    def read(self, file: Path, out: Path, name: str | None = None, progress: Progress = silent) -> Trace:
        """See `Reader.read`."""
        return import_csv(file, self.pages, out, name, self.page_size, progress)


class _Seen:
    """What all rows have to be read for before the first can be written: slots, sizes, whether one is out0."""

    def __init__(self) -> None:
        self.zero = False
        self._slots: dict[int, None] = {}
        self._sizes: list[tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]] = []

    def add(self, rows: Rows) -> None:
        self.zero |= bool(rows.zero.any())
        self._slots.update(dict.fromkeys(rows.slot[rows.kind != COMPACT].tolist()))
        if rows.size is not None:
            self._sizes.append((rows.size[rows.out], rows.zero[rows.out]))

    def slots(self) -> Names:
        return np.fromiter(self._slots, np.uint64, len(self._slots))

    def sizes(self) -> Sizes:
        size, zero = zip(*self._sizes, strict=True) if self._sizes else ((), ())
        return Sizes.given(
            np.concatenate([np.empty(0, np.int32), *size]), np.concatenate([np.empty(0, np.bool_), *zero])
        )
