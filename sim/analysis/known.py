"""The sizes of a trace's pages that are known without compressing anything."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

import numpy as np
import numpy.typing as npt

from sim.errors import USER_ERRORS
from sim.plugins import COMPRESSORS
from sim.sizing.contents import contents_digest
from sim.sizing.kept import is_kept
from sim.sizing.sizing import filled, kept_under, size_pages
from workloads.progress import Progress
from workloads.traces.parquet import PAGES_FILE
from workloads.traces.sizes import GIVEN, Sizes
from workloads.traces.trace import Trace

Mask = npt.NDArray[np.bool_]
Progresses = Callable[[str], AbstractContextManager[Progress]]


def known_sizes(trace: Trace) -> dict[str, Sizes]:
    """Sizes by codec: those a trace without contents has, or those kept from earlier runs on these very pages.

    Of codecs with parameters, a trace with contents has those with the default ones. Raises TraceError.
    """
    if not trace.content:
        tables = [trace.sizes(codec) for codec in trace.sizes_codecs()]
        return {table.meta["codec"]: table for table in tables if table is not None}
    found = {}
    for codec in map(COMPRESSORS.make, COMPRESSORS.names() if trace.path else ()):
        there = False
        with suppress(*USER_ERRORS):  # a codec that cannot be told from others is not looked for
            there = is_kept(kept_under(trace, codec, trace.header.files.get(PAGES_FILE)))
        if there and is_kept(kept_under(trace, codec)):
            found[codec.spec] = size_pages(trace, codec)
    return found


def sizes_by(trace: Trace, compressors: tuple[str, ...], progress: Progresses) -> dict[str, Sizes]:
    """Sizes by codec: of these `compressors`, whose work is done now, or the known ones where there are none."""
    found = {}
    for codec in map(COMPRESSORS.make, compressors):
        with progress(f"{codec.spec} on {trace.name}") as done:
            table = size_pages(trace, codec, progress=done)
        found[table.meta["codec"]] = table
    return found or known_sizes(trace)


def fills(trace: Trace, tables: dict[str, Sizes], progress: Progresses) -> tuple[Mask | None, Mask | None]:
    """Which unique pages repeat one machine word, and which are all zero: bool[u] each, None where nobody knows.

    From sizes, if there are some of a codec, else from the contents. Sizes that were given with the trace may tell of
    some zero-filled pages, and never of others.
    """
    for codec, table in tables.items():
        if codec != GIVEN:
            return table.same_filled, table.zero_filled
    if trace.content:
        if trace.path:
            contents_digest(trace)
        found, at = np.zeros((2, trace.unique_pages), np.bool_), 0
        with progress(f"reading the pages of {trace.name}") as done:
            for pages in trace.page_batches():
                found[:, at : at + len(pages)] = filled(pages)
                at += len(pages)
                done(at, trace.unique_pages)
        return found[0], found[1]
    given = tables.get(GIVEN)
    return None, given.zero_filled if given and given.zero_filled.any() else None
