"""Raw pages without events, as a memory dump holds them: paged out in their order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np

from workloads.progress import Progress
from workloads.readers.base import Batch, Facts, Reader
from workloads.readers.importing import import_file
from workloads.readers.input import Head, Input
from workloads.traces.trace import Trace


class Dump(Reader):
    """Raw pages, concatenated. Page i goes to slot i; nothing is read or freed."""

    name: ClassVar[str] = "dump"
    title: ClassVar[str] = "raw pages"

    @classmethod
    def sniff(cls, head: Head) -> bool:
        """Nothing tells raw pages: they are what no other reader takes."""
        return False

    def read(self, file: Input, facts: Facts) -> Iterator[Batch]:
        """See `Reader.read`."""
        facts["events"] = "none given: every page is paged out, in order"
        done = 0
        for pages in file.pages():
            yield Batch.dump(pages, np.arange(done, done + len(pages), dtype=np.uint64))
            done += len(pages)


def import_pages(
    pages: Path | str,
    out: Path | str,
    name: str | None = None,
    page_size: int = 4096,
    progress: Progress | None = None,
) -> Trace:
    """Make the trace folder `out` of raw pages alone: paged out in their order, no times.

    See `workloads.readers.importing.import_file`.
    """
    return import_file(pages, out, Dump(), name=name, page_size=page_size, progress=progress)
