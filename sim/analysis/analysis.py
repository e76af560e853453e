"""A trace before any run: what `cswap trace info` tells, as frames and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sim.analysis.known import Progresses, fills, sizes_by
from sim.errors import UserError
from sim.experiment.inputs import open_input
from sim.plots.sizes import boundaries
from sim.results.codec_times import compressed_sizes
from workloads.analysis.survey import Survey
from workloads.progress import Progress, silent
from workloads.traces.sizes import GIVEN, Sizes
from workloads.traces.trace import Trace

if TYPE_CHECKING:
    import pandas as pd

    from sim.plots.panels import Drawn

LEAST_PAGE = 4096  # of zsmalloc
CONTENTS = ("what", "compressor", "page_outs", "share")
SIZES = ("trace", "compressor", "bytes", "class_bytes", "page_outs")


def _quiet(what: str) -> AbstractContextManager[Progress]:
    return nullcontext(silent)


class Analysis(Survey):
    """What a trace's events and pages tell: `df_...` are frames, `plot_...` draw them.

    `trace` is a trace, or what `cswap run` takes: a folder, a shipped trace, a generator. Compressed sizes are those of
    `compressors`, made now where they are not kept, or by default all that are known: carried by a trace without
    contents, kept from earlier runs for one with. `zsmalloc` is the allocator whose size classes are told, a spec.

    Each `plot_...` draws on new axes, or on `ax`: one Axes, or an array of as many as there are panels. It returns that
    one or the array. `title` replaces the picture's. Raises TraceError, UserError.
    """

    def __init__(
        self,
        trace: Trace | str,
        compressors: Sequence[str] = (),
        zsmalloc: str = "zsmalloc",
        *,
        progress: Progresses = _quiet,
    ) -> None:
        trace = open_input(trace)
        with progress(f"reading the events of {trace.name}") as done:
            super().__init__(trace, done)
        self.zsmalloc = zsmalloc
        self._compressors = (compressors,) if isinstance(compressors, str) else tuple(compressors)
        self._progress = progress

    @cached_property
    def sizes(self) -> dict[str, Sizes]:
        """What compressors make of the unique pages, by codec."""
        return sizes_by(self.trace, self._compressors, self._progress)

    @cached_property
    def classes(self) -> tuple[list[int], int] | None:
        """The largest object of each size class, and the smallest that takes a whole page; None for small pages."""
        return boundaries(self.zsmalloc, self.trace.page_size) if self.trace.page_size >= LEAST_PAGE else None

    def df_contents(self) -> pd.DataFrame:
        """What page-outs write, a row a kind of contents.

        Columns: `what`: `zero_filled`; `same_filled`, one machine word throughout, zero-filled ones too; `duplicate`,
        contents that an earlier page-out had, same-filled or not; `incompressible`, larger after compression than the
        largest size class, so that zsmalloc takes a whole page, same-filled ones left out, a row for each known
        `compressor`; `page_outs`; `share` of all page-outs with contents. What the trace cannot tell is NA.
        """
        import pandas as pd

        same, zero = self._fills
        total = int(self.page_outs.sum())
        counts: list[tuple[str, str | None, int | None]] = [
            ("zero_filled", None, self._count(zero)),
            ("same_filled", None, self._count(same)),
            ("duplicate", None, self._duplicates(total)),
        ]
        for codec, table in self.sizes.items():
            huge = self.classes and table.size >= self.classes[1]
            counts.append(("incompressible", codec, self._count(None if huge is None else huge & ~table.same_filled)))
        rows = [(*row, None if row[2] is None or not total else row[2] / total) for row in counts]
        return pd.DataFrame(rows, columns=list(CONTENTS)).astype({"page_outs": "Int64", "share": "Float64"})

    def df_sizes(self) -> pd.DataFrame:
        """Compressed sizes of page-outs, a row a compressor and size; same-filled pages are left out.

        Columns: `trace`; `compressor`; `bytes`: sizes up to that, and larger than 1/512 of a page less; `class_bytes`,
        the largest object of the size class of zsmalloc they fall into, a page's size for those that take a whole page
        (NA for pages of less than 4 KiB); `page_outs`.
        """
        import pandas as pd

        rows = [row for table in self.sizes.values() for row in compressed_sizes(self.trace, table, self.page_outs)]
        frame = pd.DataFrame(rows, columns=[name for name in SIZES if name != "class_bytes"])
        classes: Any = pd.NA
        if self.classes:
            bounds = np.append(self.classes[0], self.trace.page_size)
            classes = bounds[np.minimum(np.searchsorted(bounds, frame["bytes"]), len(bounds) - 1)]
        return frame.assign(class_bytes=classes).astype({"class_bytes": "Int64"})[list(SIZES)]

    def plot_live(self, ax: Any = None, title: str | None = None) -> Drawn:
        """Slots that hold a page over the trace, and below it how fast pages went out and came in."""
        from sim.plots.live import plot_live

        return plot_live(self.df_live(), self.trace.name, self.trace.page_size, ax=ax, title=title)

    def plot_lifetimes(self, ax: Any = None, title: str | None = None) -> Drawn:
        """How long slots keep what was paged out: cumulative, in events and, if the trace has times, in seconds."""
        from sim.plots.distributions import plot_lifetimes

        return plot_lifetimes(
            self.df_lifetimes(), self.df_lifetimes("ns"), self.trace.name, ax=ax, title=title, page_outs=self._total
        )

    def plot_reuse(self, ax: Any = None, title: str | None = None) -> Drawn:
        """How soon pages are read back: cumulative, in page-outs between and, if the trace has times, in seconds."""
        from sim.plots.distributions import plot_reuse

        return plot_reuse(self.df_reuse(), self.df_reuse("ns"), self.trace.name, ax=ax, title=title)

    def plot_sizes(self, ax: Any = None, title: str | None = None) -> Drawn:
        """Compressed sizes of the pages that are paged out, with the boundaries of zsmalloc's size classes."""
        from sim.plots.sizes import plot_sizes

        if self.classes is None:
            raise UserError(f"{self.trace.name}: zsmalloc has no classes for pages of {self.trace.page_size} bytes")
        if not self.sizes:
            raise UserError(f"{self.trace.name}: no compressed sizes are known; name compressors, as in ('lz4',)")
        return plot_sizes(self.df_sizes(), self.zsmalloc, self.trace.page_size, ax=ax, title=title)

    def save(self, folder: str | Path) -> list[Path]:
        """Write every frame as CSV and every picture as PNG into a new folder; the files. Raises UserError, OSError."""
        from sim.analysis.saving import save

        return save(self, Path(folder))

    @property
    def _total(self) -> int:
        return int(self.page_outs.sum())

    @cached_property
    def _fills(self) -> tuple[npt.NDArray[np.bool_] | None, npt.NDArray[np.bool_] | None]:
        return fills(self.trace, self.sizes, self._progress)

    def _count(self, pages: npt.NDArray[np.bool_] | None) -> int | None:
        """Page-outs of these unique pages."""
        return None if pages is None else int(self.page_outs[pages].sum())

    def _duplicates(self, total: int) -> int | None:
        """None where every page-out has a page of its own by name only, so that nobody knows which are equal."""
        distinct = int(np.count_nonzero(self.page_outs))
        apart = not self.trace.content and not set(self.sizes) - {GIVEN} and distinct == total > 0
        return None if apart else total - distinct
