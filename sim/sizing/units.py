"""Sizes of units: several pages compressed as one block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.compressors.base import Compressor
from sim.errors import UserError
from sim.sizing.contents import contents_digest
from sim.sizing.sizing import size_pages
from workloads.progress import Progress, silent
from workloads.recordings import FOLDER as RECORDINGS
from workloads.traces.backend import MemoryBackend
from workloads.traces.digests import digest_text
from workloads.traces.events import Events
from workloads.traces.header import Header
from workloads.traces.sizes import LARGEST_PAGE, Sizes
from workloads.traces.tally import Tally
from workloads.traces.trace import Trace


def with_units(
    trace: Trace,
    sizes: Sizes,
    compressor: Compressor,
    unit: int,
    *,
    progress: Progress = silent,
    in_memory: bool = False,
) -> Sizes:
    """Sizes of the pages of a trace, followed by those of its units of `unit` pages (`Trace.units`), in their order.

    `compress_ns` of a unit is the share of a page, since each page of it is paged out; `decompress_ns` is that of the
    whole. Units are compressed, checked and kept as pages are (`size_pages`). Raises UserError for a trace without
    contents, and for units of more than 64 KiB.
    """
    if unit == 1:
        return sizes
    if unit * trace.page_size > LARGEST_PAGE:
        wrong = f"{trace.name}: {unit} pages of {trace.page_size} bytes are more than {LARGEST_PAGE}"
        raise UserError(f"{wrong}; give a smaller unit")
    if not trace.content:
        shipped = trace.path is not None and trace.path.parent == RECORDINGS
        remedy = f"take {trace.name}-sample, which has some of its pages" if shipped else "take one with contents"
        raise UserError(f"{trace.name}: no contents, so {unit} pages cannot be compressed together; {remedy}")
    blocks = size_pages(as_pages(trace, unit), compressor, progress=progress, in_memory=in_memory or bool(trace.path))
    share = np.maximum(1, blocks.compress_ns // unit)
    more = blocks.columns() | {"compress_ns": share}
    return Sizes(**{name: np.append(own, more[name]) for name, own in sizes.columns().items()}, meta=sizes.meta)


def as_pages(trace: Trace, unit: int) -> Trace:
    """The distinct units of a trace as the pages of another one, which has no events."""
    numbers = trace.units(unit).pages
    tally = Tally(trace.name)
    header = Header.of(
        tally,
        name=trace.name,
        page_size=unit * trace.page_size,
        source={},
        unique_pages=len(numbers),
        content=True,
        # Sizes are kept under this: it is of the bytes that lie there, not of those that the header promises.
        pages_digest=digest_text(
            f"{trace.pages_digest} {contents_digest(trace) if trace.path else ''} {unit} {numbers.tobytes().hex()}"
        ),
    )
    return Trace(header, UnitsBackend(trace, numbers))


@dataclass
class UnitsBackend(MemoryBackend):
    """Pages joined when they are asked for."""

    trace: Trace
    numbers: npt.NDArray[np.int32]

    def __post_init__(self) -> None:
        super().__init__(Events.of([], [], []), np.empty((0, 0), np.uint8), {})

    def page_array(self, start: int, stop: int) -> npt.NDArray[np.uint8]:
        """Return units start..stop-1 as uint8[n, unit * page_size]."""
        wanted, place = np.unique(self.numbers[start:stop], return_inverse=True)
        pages = np.empty((len(wanted), self.trace.page_size), np.uint8)
        for rows in runs(wanted):
            pages[rows] = self.trace.page_array(int(wanted[rows.start]), int(wanted[rows.stop - 1]) + 1)
        joined: npt.NDArray[np.uint8] = pages[place].reshape(stop - start, -1)
        return joined


def runs(ascending: npt.NDArray[np.int32]) -> Iterator[slice]:
    """The parts of distinct ascending numbers in which each is the one before and 1."""
    cuts = (np.flatnonzero(np.diff(ascending) != 1) + 1).tolist()
    for start, stop in zip([0, *cuts], [*cuts, len(ascending)], strict=True):
        if start < stop:
            yield slice(start, stop)
