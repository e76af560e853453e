"""Raw pages without events, as a memory dump holds them: paged out in their order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from workloads.progress import Progress
from workloads.readers.base import Batch, Facts, Reader
from workloads.readers.image import opened
from workloads.readers.importing import import_file
from workloads.readers.input import Head, Input
from workloads.traces.trace import Trace


class Dump(Reader):
    """Page i is paged out to slot i, in order; a hole of the file was never written. Nothing is read or freed."""

    name: ClassVar[str] = "dump"
    title: ClassVar[str] = "raw pages, as in a dump of zram or of memory"

    @classmethod
    def sniff(cls, head: Head) -> bool:
        """Nothing tells raw pages: they are what no other reader takes."""
        return False

    def read(self, file: Input, facts: Facts) -> Iterator[Batch]:
        """See `Reader.read`."""
        with opened(file, facts) as image:
            yield from image.pages()


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
