"""Pages of real programs, resampled."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.files import open_regular
from workloads.generators.contents.base import Content, Pages, Place, Pool
from workloads.generators.draws import Numbers, Words, modulo
from workloads.readers.avml import Avml
from workloads.readers.elf import Elf
from workloads.readers.input import Head
from workloads.readers.lime import Lime
from workloads.readers.swap import Swap
from workloads.samples import open_sample, sample_names
from workloads.shown import meant
from workloads.traces.disk import open_trace
from workloads.traces.events import OUT
from workloads.traces.trace import Trace

BLOCK = 1024  # pages looked at together
SAMPLE = "-sample"  # what the names of the shipped samples end in


class Corpus(Content, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"source": "from"}):
    """Pages of a shipped sample (`from = "gcc-sample"`), of a trace with contents, or of a file of raw pages.

    Of a trace a random page-out is drawn each time, so that its pages are as frequent as there; of a file, any page.
    Paths are relative to the recipe.
    """

    name: ClassVar[str] = "corpus"
    source: str

    def pool(self, place: Place) -> Pool:
        """See `Content.pool`."""
        samples = [name + SAMPLE for name in sample_names()]
        path = place.file.parent / self.source
        try:
            is_there = path.exists()
        except (OSError, ValueError):  # a name that no file can have
            is_there = False
        if self.source in samples and not is_there:
            return TracePool(open_sample(self.source.removesuffix(SAMPLE)), place)
        if is_there and path.is_dir():
            return TracePool(open_trace(path), place)
        if not is_there:
            near = meant(self.source, samples)
            raise ValueError(f"from {self.source!r} is not there{near}; give a trace, a file of raw pages, or a sample")
        return FilePool(path, place)


class TracePool(Pool):
    """The pages of a trace."""

    def __init__(self, trace: Trace, place: Place) -> None:
        if not trace.content:
            raise ValueError(f"{trace.name} has no contents; give a trace that has, such as gcc{SAMPLE}")
        if trace.page_size != place.page_size:
            wrong = f"pages of {trace.name} have {trace.page_size} bytes, not {place.page_size}"
            raise ValueError(f"{wrong}; give page_size = {trace.page_size}")
        if not trace.counts["out"]:
            raise ValueError(f"{trace.name} has no page-outs; give another trace")
        self._trace, self.origin = trace, trace.path
        self._outs = np.concatenate([batch.page[batch.kind == OUT] for batch in trace.batches()])

    def numbers(self, order: Numbers, luck: Words) -> Numbers:
        """See `Pool.numbers`."""
        return self._outs[modulo(luck, len(self._outs))].astype(np.int64)

    def pages(self, numbers: Numbers) -> Pages:
        """See `Pool.pages`."""
        return gathered(self._trace.page_array, numbers)


class FilePool(Pool):
    """Raw pages of a file, one after the other."""

    def __init__(self, path: Path, place: Place) -> None:
        self.origin = path
        fd = open_regular(path, "give a trace, or a file of raw pages", follow=True)
        head = Head.of(path)
        if other := next((reader.title for reader in (Elf, Lime, Avml, Swap) if reader.sniff(head)), None):
            os.close(fd)
            raise TraceError.at(path, "file", f"is no raw pages ({other})", "import it first and give the trace")
        with open(fd, "rb") as file:
            size = path.stat().st_size
            if not size or size % place.page_size:
                wrong = f"has {size:,} bytes, which are no whole pages of {place.page_size}"
                raise TraceError.at(path, "file", wrong, "give whole pages, or import it first and give the trace")
            self._pages = np.memmap(file, np.uint8, "r").reshape(-1, place.page_size)

    def numbers(self, order: Numbers, luck: Words) -> Numbers:
        """See `Pool.numbers`."""
        return modulo(luck, len(self._pages))

    def pages(self, numbers: Numbers) -> Pages:
        """See `Pool.pages`."""
        return np.array(self._pages[numbers])


def gathered(read: Any, numbers: npt.NDArray[np.int64]) -> Pages:
    """Return the pages of ascending numbers, by `read(start, stop)`, which reads each block once."""
    cuts = np.flatnonzero(np.diff(numbers // BLOCK)) + 1
    return np.concatenate([read(int(part[0]), int(part[-1]) + 1)[part - part[0]] for part in np.split(numbers, cuts)])
