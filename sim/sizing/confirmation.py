"""The sizes that a shipped recording carries, held against real compression of its sample's pages.

A recording has no contents; the sample of the same name has some of its pages. Those are compressed here, checked by
decompression and timed, and each size is compared with the one that the recording carries for the same page.
"""

from __future__ import annotations

from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from sim.compressors.base import Compressor
from sim.errors import UserError
from sim.sizing.sizing import size_pages
from workloads.progress import Progress, silent
from workloads.recordings import FOLDER, pages_of_sample
from workloads.samples import open_sample
from workloads.traces.sizes import Sizes
from workloads.traces.trace import Trace

COMPARED = ("size", "same_filled", "zero_filled")


class Sampled(NamedTuple):
    """The sample of a recording, and the number that each of its pages has in the recording."""

    sample: Trace
    pages: NDArray[np.int64]

    @classmethod
    def of(cls, trace: Trace) -> Sampled | None:
        """The sample of a shipped recording; None for any other trace. Raises TraceError for a sample of another."""
        if trace.content or trace.path is None or trace.path.parent != FOLDER:
            return None
        if trace not in _found:
            sample = open_sample(trace.path.stem)
            _found[trace] = cls(sample, pages_of_sample(trace, sample))
        return _found[trace]

    def confirm(self, carried: Sizes, compressor: Compressor, progress: Progress = silent) -> tuple[Sizes, int]:
        """Compress the sample's pages: their sizes and times, and how many the recording carries likewise.

        Raises UserError naming the first page that differs, unless the sizes were made by another version of a library.
        """
        made = size_pages(self.sample, compressor, progress=progress)
        equal = np.ones(len(self.pages), np.bool_)
        for name in COMPARED:
            equal &= getattr(made, name) == getattr(carried, name)[self.pages]
        if not equal.all() and carried.meta.get("version") == compressor.version:
            page = int(equal.argmin())
            raise UserError(
                f"{self.sample.name}: page {page} compressed by {compressor.spec} has {made.size[page]} bytes, the "
                f"recording says {carried.size[self.pages[page]]}; install cswap again"
            )
        return made, int(equal.sum())


_found: WeakKeyDictionary[Trace, Sampled] = WeakKeyDictionary()  # reads all events: once for all cells of a sweep
