"""Sizing: every unique page of a trace through a compressor, once, on all cores, and kept for the next time."""

from __future__ import annotations

import copy
import multiprocessing
import os
import platform
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import platformdirs
from numpy.typing import NDArray

from sim.compressors.base import Compressor, Measures, Pages
from sim.errors import UserError
from workloads.errors import TraceError
from workloads.progress import Progress, silent
from workloads.sizes import GIVEN, Sizes, read_sizes, sizes_path, write_sizes
from workloads.trace import Trace

CHUNK = 1024  # pages in one call of a worker
LONG = 2  # times the median of a chunk
AGAIN = 2  # times at most, so that the processor does not learn the page
WORTHWHILE = 0.1  # seconds of work on one core from which workers are started


def filled(pages: Pages) -> NDArray[np.bool_]:
    """Whether each page repeats its first machine word of 8 bytes, as zram's page_same_filled tests; bool[2, n].

    The second row tells whether that word is zero, as swap_zeromap's is_folio_zero_filled does (mm/page_io.c, 6.12).
    """
    words = pages.view(np.uint64)
    same: NDArray[np.bool_] = words[:, 0] == words[:, -1]  # few pages pass, so few are read in full
    same[same] = (words[same] == words[same, :1]).all(axis=1)
    return np.stack((same, same & (words[:, 0] == 0)))


def cores() -> int:
    """Processors this process may run on."""
    return len(os.sched_getaffinity(0))


def size_pages(
    trace: Trace,
    compressor: Compressor,
    *,
    progress: Progress = silent,
    workers: int | None = None,
    keep: bool = True,
) -> Sizes:
    """Sizes and times of all unique pages of `trace`, kept beside it from the first time on unless `keep` is false.

    A trace without contents has the sizes it was given. Raises UserError when it has none for this codec, and
    CodecError if a page does not decompress to itself. `workers` is the number of processors used; all by default.
    """
    known = _known(trace, compressor)
    if known is not None:
        return known
    if not trace.content:
        there = ", ".join(trace.sizes_codecs()) or "none"
        raise UserError(f"{trace.path or trace.name}: no contents, and no sizes for {compressor.spec}; use -c {there}")
    size = np.empty(trace.unique_pages, np.int32)
    times = np.empty((2, trace.unique_pages), np.int64)
    fill = np.empty((2, trace.unique_pages), np.bool_)
    for start, measured in _measured(trace, compressor, workers or cores()):
        rows = slice(start, start + len(measured.measures[0]))
        size[rows], times[0, rows], times[1, rows] = measured.measures
        fill[:, rows] = measured.filled
        progress(rows.stop, trace.unique_pages)
    meta = {
        "codec": compressor.spec,
        "version": compressor.version,
        "host": platform.processor() or platform.machine(),
        "pages": trace.pages_digest,
    }
    sizes = Sizes(size, fill[0].copy(), fill[1].copy(), times[0].copy(), times[1].copy(), meta)
    if keep:
        _keep(trace, sizes)
    return sizes


def _known(trace: Trace, compressor: Compressor) -> Sizes | None:
    """Sizes given with the trace or kept from an earlier run of the same version over the same pages."""
    if not trace.content and (given := trace.sizes(GIVEN)) is not None:
        return given
    for folder in filter(None, (trace.path, _user_folder(trace))):
        try:
            sizes = read_sizes(sizes_path(folder, compressor.spec))
        except (TraceError, OSError):
            continue  # none, or a damaged one: measured anew and replaced
        fresh = sizes.meta.get("version") == compressor.version or not trace.content
        if fresh and sizes.meta.get("pages") == trace.pages_digest and len(sizes) == trace.unique_pages:
            return sizes
    return None if trace.content else trace.sizes(compressor.spec)


def _user_folder(trace: Trace) -> Path:
    return Path(platformdirs.user_cache_dir("cswap")) / "sizes" / trace.pages_digest


def _keep(trace: Trace, sizes: Sizes) -> None:
    """Beside the trace if that can be written, else in the user's cache; a trace in memory is not kept."""
    if trace.path is None:
        return
    for folder in (trace.path, _user_folder(trace)):
        try:
            write_sizes(sizes_path(folder, sizes.meta["codec"]), sizes)
            return
        except OSError:
            continue  # a cache that cannot be written costs time, not results


class Measured(NamedTuple):
    """What a worker tells of consecutive pages."""

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
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Measured]] = deque()
        try:
            for start in starts:  # a few chunks ahead, so that a trace larger than memory is never loaded
                waiting.append(pool.submit(_measure, compressor, trace.page_array(start, start + CHUNK)))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _in_processes(trace: Trace, compressor: Compressor, workers: int, starts: range) -> Iterator[Measured]:
    _shared.append((trace, compressor))
    # Forked workers start at once with everything loaded; all they do is compress, so no lock of a thread that the
    # fork left behind is ever waited for.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork")) as pool:
        try:
            yield from pool.map(_measure_rows, starts)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            _shared.pop()
