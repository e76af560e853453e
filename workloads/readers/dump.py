"""Raw pages without events, as a memory dump holds them: paged out in their order."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from workloads.permissions import withheld, withholding
from workloads.progress import Progress, silent
from workloads.readers.base import Reader
from workloads.traces.disk import open_trace
from workloads.traces.events import OUT, Events
from workloads.traces.rawpages import raw_pages
from workloads.traces.trace import Trace
from workloads.traces.writer import TraceWriter


def import_pages(
    pages: Path | str,
    out: Path | str,
    name: str | None = None,
    page_size: int = 4096,
    progress: Progress | None = None,
) -> Trace:
    """Make the trace folder `out` of raw pages alone, as `import_csv` takes them: paged out in their order, no times.

    Page i goes to slot i; nothing is read or freed. Raises TraceError naming the file; then nothing is left on disk.
    """
    pages = Path(pages)
    moved = FilesRead(progress or silent, pages)
    source = {"kind": "dump", "pages": pages.name, "events": "none given: every page is paged out, in order"}
    with withholding(withheld(pages)), TraceWriter(out, page_size, source, name=name) as writer:
        numbers = add_pages(writer, pages, page_size, moved)
        writer.add_events(Events.of(np.full(len(numbers), OUT), np.arange(len(numbers)), numbers))
    return open_trace(out)


class Dump(Reader):
    """Raw pages of `page_size` bytes; see `import_pages`."""

    name: ClassVar[str] = "dump"

    def __init__(self, page_size: int = 4096) -> None:
        self.page_size = page_size

    def read(self, file: Path, out: Path, name: str | None = None, progress: Progress = silent) -> Trace:
        """See `Reader.read`."""
        return import_pages(file, out, name, self.page_size, progress)


class FilesRead:
    """Tells a progress the bytes read of several files, one after the other."""

    def __init__(self, progress: Progress, *files: Path) -> None:
        self._progress, self._before = progress, 0
        self._total = sum(path.stat().st_size for path in files if path.is_file())

    def __call__(self, position: int) -> None:
        """Tell how much of the file under way was read."""
        self._progress(self._before + position, self._total)

    def passed(self, file: Path) -> None:
        """Go on to the next file."""
        self._before += file.stat().st_size


def add_pages(writer: TraceWriter, pages: Path, page_size: int, moved: FilesRead) -> npt.NDArray[np.int32]:
    """The number of each page in the file."""
    numbers = [writer.add_pages(part) for part in raw_pages(pages, page_size, moved)]
    moved.passed(pages)
    return np.concatenate([np.empty(0, np.int32), *numbers])
