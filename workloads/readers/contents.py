"""Pages for events that come without: drawn from other pages, the same ones wherever that is done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.generators.draws import Draws, Numbers, modulo
from workloads.readers.base import Reader
from workloads.readers.input import Input
from workloads.traces.trace import Trace

Pages = npt.NDArray[np.uint8]
DRAWS = Draws("page-outs")


class Contents(Protocol):
    """Pages in an order."""

    @property
    def name(self) -> str:
        """What they are called."""

    @property
    def path(self) -> Path | None:
        """The file or folder that they are kept in, if in one."""

    def batches(self, told: Input) -> Iterator[Pages]:
        """Yield all pages in their order, uint8[n, page_size]; the same each time. Raises TraceError.

        `told` is the file that they are for, whose page size they have, and which tells the progress.
        """


class TracePages:
    """The unique pages of a trace."""

    def __init__(self, trace: Trace) -> None:
        self.name, self.path, self._trace = trace.name, trace.path, trace

    def batches(self, told: Input) -> Iterator[Pages]:
        """See `Contents.batches`."""
        if self._trace.page_size != told.page_size:
            wrong = f"are of {self._trace.page_size} bytes, not {told.page_size}"
            raise TraceError.at(self.name, "pages", wrong, "give pages of the same size")
        return self._trace.page_batches()


class FilePages:
    """The pages of a file, as a reader of pages finds them there."""

    def __init__(self, path: Path, reader: Reader) -> None:
        self.name, self.path, self._reader = path.name, path, reader

    def batches(self, told: Input) -> Iterator[Pages]:
        """See `Contents.batches`."""
        for batch in self._reader.read(told.also(self.path), {}):
            if batch.pages is None:
                wrong = f"{self._reader.title}: holds no pages"
                raise TraceError.at(self.path, "pages", wrong, "give a file of pages, a core, or a trace with contents")
            yield batch.pages


def count(contents: Contents, told: Input) -> int:
    """Return how many pages there are. Raises TraceError."""
    return sum(map(len, contents.batches(told)))


def drawn(first: int, n: int, pages: int) -> Numbers:
    """Return which of `pages` pages the page-outs `first` to `first + n - 1` write, int64[n].

    Each is drawn by itself, by the number of the page-out alone, the same everywhere (`workloads.generators.draws`).
    """
    return modulo(DRAWS.at(np.arange(first, first + n)), pages)
