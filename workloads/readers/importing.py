"""Makes a trace of what a reader yields: pages, numbers of slots, the order of times, contents from elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.limits import check_growth
from workloads.permissions import withheld, withholding
from workloads.progress import Progress, silent
from workloads.readers.base import Batch, Facts, Reader
from workloads.readers.contents import Contents, count, drawn
from workloads.readers.input import Input
from workloads.readers.rows import PART, ROW, Ordered, Rows, Spool, as_events
from workloads.traces.disk import open_trace
from workloads.traces.events import OUT
from workloads.traces.sizes import GIVEN, Sizes
from workloads.traces.trace import Trace
from workloads.traces.writer import TraceWriter, check_new

Numbering = Callable[[int, npt.NDArray[np.int32]], npt.NDArray[np.int32]]  # of the first page-out, and so many pages
Read = Callable[[Facts], Iterator[Batch]]  # reads the file, from its beginning each time
Through = Callable[[Read, Facts], Iterator[Batch]]
EVENT = 16  # bytes that an event counts for where it is looked at what a file becomes
DRAWN = "pages are drawn for the page-outs one by one, by their number"
LEVEL = 1  # of zstd: a third faster than 3, files an eighth larger
NOTHING = "none: import it with pages to replay it (--pages FILE, a dump, a core, a trace or a shipped sample)"


def import_file(
    file: Path | str,
    out: Path | str,
    reader: Reader,
    *,
    name: str | None = None,
    page_size: int = 4096,
    contents: Contents | None = None,
    through: Through | None = None,
    keep_going: bool = False,
    progress: Progress | None = None,
) -> Trace:
    """Make the trace folder `out` of a file, streaming it.

    `contents` are the pages of events that come without; `through` makes page-outs and page-ins of references, and may
    read the file more than once. What comes before a fault is kept if `keep_going`, and the source tells what was lost.
    `progress` is called with bytes read and bytes in all. Raises TraceError naming file and place; then nothing is left
    on disk. Who cannot read the file, or that of the contents, cannot read the trace.
    """
    file, out = Path(file), check_new(out)
    told = Input(file, page_size, progress or silent)
    facts: Facts = {}
    private = [one for path in (file, contents and contents.path) if path for one in (path, *_inside(path))]
    with withholding(withheld(*private)):
        if contents is not None:
            told.n_pages = count(contents, told)

        def read(facts: Facts) -> Iterator[Batch]:
            batches = reader.read(told, facts)
            return _before_fault(batches, facts) if keep_going else batches

        batches = read(facts) if through is None else through(read, facts)
        first = next(batches, None)
        if first is None and "lost" in facts:
            raise TraceError(facts["lost"])
        own = first is not None and first.pages is not None
        if own and contents is not None:
            raise TraceError.at(file, "pages", "the file has its own", "leave --pages out")
        content = own or contents is not None
        source = {"kind": reader.name, "file": file.name}
        with (
            Spool(out) as spool,
            TraceWriter(out, page_size, source, name=name, content=content, level=LEVEL) as writer,
        ):
            _Import(told, writer, spool, contents, keep_going).run(first, batches, facts)
            writer.add_source(facts)
            writer.withhold(withheld(*told.opened()))
    return open_trace(out)


class _Import:
    """One import under way."""

    def __init__(
        self, told: Input, writer: TraceWriter, spool: Spool, contents: Contents | None, keep_going: bool
    ) -> None:
        self._keep_going = keep_going
        self._told, self._writer, self._spool, self._contents = told, writer, spool, contents
        self._outs, self._zero = 0, False  # page-outs so far, and whether one names the zero-filled page
        self._sizes: list[npt.NDArray[np.int32]] = []
        self._zeros: list[npt.NDArray[np.bool_]] = []

    def run(self, first: Batch | None, batches: Iterator[Batch], facts: Facts) -> None:
        timed, tasks = first is not None and first.time_ns is not None, first is not None and first.task is not None
        order, events, size = Ordered(self._told.path), 0, sum(path.stat().st_size for path in self._told.opened())
        for batch in [] if first is None else chain([first], batches):
            rows = self._rows(batch)
            events += len(rows)
            if batch.pages is None:  # a request may be of any length, but pages are there
                check_growth(self._told.path, f"event {events}", size, EVENT * events)
            self._spool.add(order.add(rows) if timed else rows)
            if order.late is not None:
                if not self._keep_going:
                    raise order.late
                facts["lost"] = str(order.late)
                break
        self._spool.add(order.rest())
        numbers = self._numbers(first, facts)
        names = self._spool.names()
        self._writer.add_original_slots(names)
        done = 0
        for rows in self._spool.rows():
            out = rows["kind"] == OUT
            count = int(out.sum())
            if numbers is not None:
                rows = rows.copy()
                rows["page"][out] = numbers(done, rows["page"][out])
            self._writer.add_events(as_events(rows, names, timed, tasks))
            done += count

    def _rows(self, batch: Batch) -> Rows:
        """The rows of a batch; the page of a page-out is its unique page, its own number, or that in other pages."""
        rows = np.empty(len(batch), ROW)
        rows["kind"], rows["slot"], rows["page"] = batch.kind, batch.slot, -1
        rows["time_ns"] = 0 if batch.time_ns is None else batch.time_ns
        rows["task"] = 0 if batch.task is None else batch.task
        out = batch.kind == OUT
        count = int(out.sum())
        if batch.pages is not None:
            rows["page"][out] = self._writer.add_pages(batch.pages)
        elif batch.page is not None and self._contents is not None:
            rows["page"][out] = batch.page
            self._zero |= bool((batch.page < 0).any())
        else:
            rows["page"][out] = np.arange(self._outs, self._outs + count)
            if batch.size is not None:
                self._sizes.append(batch.size)
                self._zeros.append(np.zeros(count, np.bool_) if batch.zero is None else batch.zero)
        self._outs += count
        return rows

    def _numbers(self, first: Batch | None, facts: Facts) -> Numbering | None:
        """What makes unique pages of the pages in the rows, None if they are some; adds what is not added yet."""
        if first is not None and first.pages is not None:
            return None
        if self._contents is None:
            if self._sizes:
                self._writer.add_sizes(GIVEN, Sizes.given(np.concatenate(self._sizes), np.concatenate(self._zeros)))
            else:
                self._writer.add_unknown(self._outs)
                facts["contents"] = NOTHING
            return None
        if first is None or first.page is not None:
            return self._named(self._contents)
        return self._drawn(self._contents, facts)

    def _named(self, contents: Contents) -> Numbering:
        """All pages are kept; rows name them, or the zero-filled one."""
        parts = [self._writer.add_pages(pages) for pages in contents.batches(self._told)]
        zero = np.zeros((1 if self._zero else 0, self._told.page_size), np.uint8)
        parts.append(self._writer.add_pages(zero))
        numbers = np.concatenate(parts)  # -1 is the last one
        return lambda _, page: numbers[page]

    def _drawn(self, contents: Contents, facts: Facts) -> Numbering:
        """Only the pages that are drawn are kept."""
        n = self._told.n_pages
        if not n:
            raise TraceError.at(contents.name, "pages", "there are none", "give a file or trace with pages")
        wanted = np.zeros(n, np.bool_)
        for start in range(0, self._outs, PART):
            wanted[drawn(start, min(PART, self._outs - start), n)] = True
        numbers, done = np.full(n, -1, np.int32), 0
        for pages in contents.batches(self._told):
            part = wanted[done : done + len(pages)]
            numbers[done : done + len(pages)][part] = self._writer.add_pages(pages[part])
            done += len(pages)
        facts["contents"] = {"of": contents.name, "pages": n, "assigned": DRAWN}
        return lambda first, page: numbers[drawn(first, len(page), n)]


def _inside(folder: Path) -> list[Path]:
    """The files in a folder, which may be more private than the folder."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return [Path(entry) for entry in entries if entry.is_file(follow_symlinks=False)]


def _before_fault(batches: Iterator[Batch], facts: Facts) -> Iterator[Batch]:
    try:
        yield from batches
    except TraceError as error:
        facts["lost"] = str(error)
