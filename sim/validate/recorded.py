"""Simulated against recorded mm_stat: pages and operations are replayed, the rows compared."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from statistics import mode

from allocators import Allocator
from sim.compressors.base import Compressor
from sim.frontends.zram import Zram
from sim.sizing.sizing import size_pages
from sim.validate.comparison import Comparison
from sim.validate.prediction import Prediction
from sim.validate.recording import read_expected, read_operations, read_pages
from workloads.progress import Progress, silent
from workloads.traces.trace import Trace

Report = Callable[[str], AbstractContextManager[Progress]]  # names a stage, gives its progress callback


def quiet(stage: str) -> AbstractContextManager[Progress]:
    """Report nothing."""
    return nullcontext(silent)


def compare_recorded(
    pages: Path, ops: Path, expect: Path, compressor: Compressor, allocator: Allocator, report: Report = quiet
) -> Comparison:
    """Compare the rows of `expect`, at whatever operations they stand, with a fresh device over `allocator`.

    The device has the mem_limit that most rows show. Raises UserError for a bad line or row, TraceError for a file that
    cannot be read, CodecError if a page does not decompress to itself.
    """
    with report(f"reading {pages.name}") as done:
        size = _size(pages)
        content = read_pages(pages, allocator.page_size, lambda position: done(position, size))
    with report(f"reading {ops.name}") as done:
        size = _size(ops)
        events = read_operations(ops, len(content), lambda position: done(position, size))
    rows = read_expected(expect, len(events))
    trace = Trace.from_arrays(ops.name, events, content, page_size=allocator.page_size)
    with report(f"{compressor.spec} on {pages.name}") as done:
        sizes = size_pages(trace, compressor, progress=done)
    (events,) = trace.batches(max(1, trace.n_events))
    limit = mode(kernel.mem_limit for _, kernel in rows)
    prediction = Prediction(trace.n_slots, sizes, allocator, Zram(mem_limit=limit, zeros_apart=False))
    comparison, at = Comparison(), 0
    with report("comparing rows") as done:
        for ops_done, kernel in rows:
            prediction.apply(events[at:ops_done])
            at = ops_done
            comparison.add(ops_done, kernel, prediction.mm_stat())
            done(comparison.rows, len(rows))
    return comparison


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
