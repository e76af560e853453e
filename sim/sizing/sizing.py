"""Sizing: every unique page of a trace through a compressor, once, on all cores, and kept for the next run.

Every compressed page is decompressed and compared, and that holds for kept sizes too. Each run hashes the bytes of
`pages.parquet`; sizes are kept under that digest, once the pages decoded from those bytes had the digest of the header,
and under the codec's code; and what is kept is trusted only if this user kept it (`sim.sizing.kept`).
"""

from __future__ import annotations

import copy
import platform
import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.compressors.base import Compressor, Measures, Pages
from sim.compressors.identity import identity
from sim.errors import UserError
from sim.machine import processor
from sim.sizing.contents import check_contents, contents_digest
from sim.sizing.kept import Fields, keep, recall
from sim.sizing.spread import Spread, as_meta
from sim.workers import processors, worker_pool
from workloads.progress import Progress, silent
from workloads.recordings import FOLDER as RECORDINGS
from workloads.traces.sizes import DTYPES, GIVEN, Sizes
from workloads.traces.trace import Trace

CHUNK = 1024  # pages in one call of a worker
LONG = 2  # times the median of a chunk
AGAIN = 2  # times at most, so that the processor does not learn the page
WORTHWHILE = 0.1  # seconds of work on one core from which workers are started
TIMES = "times"  # the kept array of what `Spread` tells, where the times were taken again


def filled(pages: Pages) -> NDArray[np.bool_]:
    """Whether each page repeats its first machine word of 8 bytes, as zram's page_same_filled tests; bool[2, n].

    The second row tells whether that word is zero, as swap_zeromap's is_folio_zero_filled does (mm/page_io.c, 6.12).
    """
    words = pages.view(np.uint64)
    same: NDArray[np.bool_] = words[:, 0] == words[:, -1]  # few pages pass, so few are read in full
    same[same] = (words[same] == words[same, :1]).all(axis=1)
    return np.stack((same, same & (words[:, 0] == 0)))


def size_pages(
    trace: Trace,
    compressor: Compressor,
    *,
    progress: Progress = silent,
    workers: int | None = None,
    in_memory: bool = False,
) -> Sizes:
    """Sizes and times of all unique pages of `trace`; those of a trace on disk are kept in the user's cache, and with
    `in_memory` those of any trace.

    With contents they are always made here, of those very pages, each decompressed and compared: sizes that lie in the
    trace's folder are not used. A trace without contents has the sizes it was given. `workers` is the number of
    processors used; all by default. Raises UserError when there are none for this codec, TraceError when the pages are
    not those that the header promises, and CodecError if a page does not decompress to itself.
    """
    if not trace.content:
        return _given(trace, compressor)
    meta = {
        "codec": compressor.spec,
        "version": compressor.version,
        "host": platform.processor() or platform.machine(),
        "pages": trace.pages_digest,
    }
    fields = kept_under(trace, compressor) if trace.path or in_memory else {}
    if fields and (arrays := recall(fields)):
        return _recalled(arrays, meta)
    if trace.path:
        check_contents(trace, progress)
    size = np.empty(trace.unique_pages, np.int32)
    times = np.empty((2, trace.unique_pages), np.int64)
    fill = np.empty((2, trace.unique_pages), np.bool_)
    for start, measured in _measured(trace, compressor, workers or processors()):
        rows = slice(start, start + len(measured.measures[0]))
        size[rows], times[0, rows], times[1, rows] = measured.measures
        fill[:, rows] = measured.filled
        progress(rows.stop, trace.unique_pages)
    sizes = Sizes(size, fill[0].copy(), fill[1].copy(), times[0].copy(), times[1].copy(), meta)
    if fields:
        keep(fields, sizes.columns())
    return sizes


def _given(trace: Trace, compressor: Compressor) -> Sizes:
    sizes = trace.sizes(GIVEN)
    if sizes is None:
        sizes = trace.sizes(compressor.spec)
    if sizes is None:
        there = " or ".join(trace.sizes_codecs()) or "none"
        if trace.path and trace.path.parent == RECORDINGS:
            raise UserError(
                f"{trace.name}: the recording has no contents, and no sizes for {compressor.spec}; "
                f"use -c {there}, or {trace.name}-sample, which has contents"
            )
        remedy = f"use -c {there}" if trace.sizes_codecs() else "import it again with --pages, such as gcc-sample"
        raise UserError(f"{trace.path or trace.name}: no contents, and no sizes for {compressor.spec}; {remedy}")
    return sizes


def _recalled(arrays: Mapping[str, NDArray[Any]], meta: dict[str, str]) -> Sizes:
    spread = as_meta(arrays[TIMES].tolist()) if TIMES in arrays else {}
    return Sizes(**{name: arrays[name] for name in DTYPES}, meta=meta | spread)


def keep_times(fields: Fields, sizes: Sizes, spread: Spread) -> Sizes:
    """Keep sizes with times that several processes took; return them as the next run finds them.

    The file is replaced whole. Raises UserError if it cannot be.
    """
    arrays = sizes.columns() | {TIMES: np.array(spread.texts())}
    keep(fields, arrays)
    if (found := recall(fields)) and all(np.array_equal(found.get(n, 0), arrays[n]) for n in arrays):
        return _recalled(found, sizes.meta)
    raise UserError(f"{sizes.meta['codec']}: the times could not be kept, so the old ones stay; make room in ~/.cache")


def kept_under(trace: Trace, compressor: Compressor, file: str | None = None) -> dict[str, str | int]:
    """What sizes and times depend on: the bytes of the pages as they were hashed now, the codec's code, the machine.

    `file` is the digest of `pages.parquet`, where that need not be computed.
    """
    if file is None:  # pages in memory were digested when the trace was made
        file = contents_digest(trace) if trace.path else ""
    return {
        "kept": " ".join(DTYPES),
        "file": file,
        "pages": trace.pages_digest,
        "unique_pages": trace.unique_pages,
        "page_size": trace.page_size,
        "codec": compressor.spec,
        "version": compressor.version,
        "code": identity(compressor),
        "processor": processor(),
    }


class Measured(NamedTuple):
    """A worker's results for consecutive pages."""

    measures: Measures
    filled: NDArray[np.bool_]


def _measure(compressor: Compressor, pages: Pages) -> Measured:
    """Sizes and times; pages that took very long are timed again, since what interrupted them is not the codec's."""
    own = copy.copy(compressor)  # a compressor serves one thread at a time
    size, *times = own.measure(pages)
    for _ in range(AGAIN):
        long = np.flatnonzero(np.any([ns > LONG * np.median(ns) for ns in times], axis=0))
        if not len(long):
            break
        _, *again = own.measure(pages[long])
        for ns, shorter in zip(times, again, strict=True):
            ns[long] = np.minimum(ns[long], shorter)
    return Measured((size, times[0], times[1]), filled(pages))


_shared: list[tuple[Trace, Compressor]] = []  # what forked workers inherit


def _measure_rows(start: int) -> Measured:
    trace, compressor = _shared[-1]
    return _measure(compressor, trace.page_array(start, start + CHUNK))


def _measured(trace: Trace, compressor: Compressor, workers: int) -> Iterator[tuple[int, Measured]]:
    """All pages in order, chunk by chunk; with workers once the first chunk shows that it is much work."""
    start, began = 0, time.perf_counter()
    while start < trace.unique_pages:
        pages = trace.page_array(start, start + CHUNK)
        yield start, _measure(compressor, pages)
        start += len(pages)
        rate = (time.perf_counter() - began) / start
        if workers > 1 and rate * (trace.unique_pages - start) > WORTHWHILE:
            break
    starts = range(start, trace.unique_pages, CHUNK)
    if starts:
        parallel = _in_threads if compressor.parallel == "threads" else _in_processes
        yield from zip(starts, parallel(trace, compressor, workers, starts), strict=True)


def _in_threads(trace: Trace, compressor: Compressor, workers: int, starts: range) -> Iterator[Measured]:
    pool = ThreadPoolExecutor(workers)
    waiting: deque[Future[Measured]] = deque()
    try:
        for start in starts:  # a few chunks ahead, so that a trace larger than memory is never loaded
            waiting.append(pool.submit(_measure, compressor, trace.page_array(start, start + CHUNK)))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # after Ctrl-C nobody waits for what is under way


def _in_processes(trace: Trace, compressor: Compressor, workers: int, starts: range) -> Iterator[Measured]:
    _shared.append((trace, compressor))
    # All that forked workers do is compress, so no lock of a thread that the fork left behind is ever waited for.
    with worker_pool(workers, f"{compressor.spec} on {trace.name}") as pool:
        try:
            yield from pool.map(_measure_rows, starts)
        finally:
            _shared.pop()
