"""The times of a trace's pages taken again: quietly, by several processes, instead of once during sizing.

Sizing uses all cores and meets every page while other pages are compressed beside it. Here one process at a time, on
one CPU, takes the codecs in turn, every page once and in the caches: memory out of them is a cost by itself. What
is kept is the median of the processes, page by page.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sim.calibration.codecs import batches, measure_codecs
from sim.calibration.processes import Done, apart, within
from sim.calibration.samples import Samples
from sim.compressors.base import BATCH, Compressor
from sim.errors import UserError
from sim.results.codec_times import page_outs
from sim.sizing.sizing import keep_times, kept_under
from sim.sizing.spread import PARTS, Spread
from workloads.progress import Progress, silent
from workloads.recordings import FOLDER as RECORDINGS
from workloads.traces.sizes import SPREAD, Sizes, sizes_path, write_sizes
from workloads.traces.trace import Trace

CHUNK = 64 * BATCH  # pages in memory
WARM = ("warm",)


class Retaken(NamedTuple):
    """Sizes of a codec with the times before and now."""

    before: Sizes
    now: Sizes
    spread: Spread
    used: npt.NDArray[np.int64]  # page-outs of each page

    def medians_us(self) -> list[tuple[str, float, float]]:
        """Part by part: its name, the median of the page-outs before and now."""
        columns = {part: [getattr(table, f"{part}_ns") for table in (self.before, self.now)] for part in PARTS}
        return [(part, _median_us(old, self.used), _median_us(new, self.used)) for part, (old, new) in columns.items()]


def check(trace: Trace) -> None:
    """Raise UserError for a trace that has no pages to compress."""
    if not trace.content:
        other = f"{trace.name}-sample" if trace.path and trace.path.parent == RECORDINGS else "the trace with contents"
        raise UserError(f"{trace.name}: has no contents, so its codec times cannot be taken again; give {other}")
    if not trace.unique_pages:
        raise UserError(f"{trace.name}: has no pages, so there is nothing to time; give another trace")


def retake(
    trace: Trace, sizes: Sequence[Sizes], compressors: Sequence[Compressor], processes: int, progress: Progress = silent
) -> list[Retaken]:
    """Time every page with each compressor in new processes; `sizes` are theirs, as `sim.sizing.sizing` makes them.

    They are kept in the user's cache, and in the folder of a trace that has sizes of a codec, once all are there; until
    then the old ones stay. Raises UserError, CodecError, and TraceError for pages that are not those of the header.
    """
    check(trace)
    fields = [kept_under(trace, codec) for codec in compressors]  # before: of the pages that were timed
    steps = batches(trace.unique_pages, WARM)
    taken = []
    for number in range(processes):
        work = partial(times, trace, tuple(compressors), number)
        taken.append(apart(work, partial(within, progress, number * steps, processes * steps)))
    if [kept_under(trace, codec) for codec in compressors] != fields:
        raise UserError(f"{trace.name}: was changed meanwhile, so the old times stay; try again")
    ns = np.stack(taken)  # [processes, codecs, parts, pages]
    used = page_outs(trace) if trace.counts["out"] else np.ones(trace.unique_pages, np.int64)
    middle = np.median(ns, axis=0).round().astype(np.int64)
    found = []
    for i, before in enumerate(sizes):
        spread = Spread.between(np.array([[_median_us(part, used) for part in one[i]] for one in ns]))
        meta = {key: text for key, text in before.meta.items() if key not in SPREAD}
        new = replace(before, compress_ns=middle[i, 0], decompress_ns=middle[i, 1], meta=meta)
        found.append(Retaken(before, keep_times(fields[i], new, spread), spread, used))
        _store(trace, found[-1].now)
    return found


def times(trace: Trace, compressors: Sequence[Compressor], seed: int, done: Done) -> npt.NDArray[np.int64]:
    """What this process measures, which stays on one CPU from here on: int64[compressors, parts, pages], ns."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    rng, finished = np.random.default_rng(seed), 0
    codecs = [codec.spec for codec in compressors]
    taken = np.zeros((len(compressors), len(PARTS), trace.unique_pages), np.int64)
    for start in range(0, trace.unique_pages, CHUNK):
        pages, samples = trace.page_array(start, start + CHUNK), Samples()
        measure_codecs(samples, compressors, pages, rng, partial(_further, done, finished), WARM)
        finished += batches(len(pages), WARM)
        frame = samples.frame()
        for i, codec in enumerate(codecs):
            for j, part in enumerate(PARTS):
                rows = frame[(frame["item"] == codec) & (frame["part"] == part)]
                taken[i, j, start + rows["number"]] = rows["ns"]
    return taken


def _median_us(ns: npt.NDArray[np.int64], used: npt.NDArray[np.int64]) -> float:
    return float(np.median(np.repeat(ns, used))) / 1e3


def _further(done: Done, before: int, more: int) -> None:
    done(before + more)


def _store(trace: Trace, sizes: Sizes) -> None:
    """Write the times to the trace's own folder too, if it stores sizes of this codec, and the same ones."""
    codec = sizes.meta["codec"]
    if trace.path is None or codec not in trace.sizes_codecs():
        return
    stored = trace.sizes(codec)
    same = ("size", "same_filled", "zero_filled")
    if stored is not None and all(np.array_equal(getattr(stored, name), getattr(sizes, name)) for name in same):
        write_sizes(sizes_path(trace.path, codec), sizes)
