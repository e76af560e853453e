"""What the codecs make of the pages of a trace, once for each page-out: what they cost, and how large they become."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from sim.machine import processor
from sim.sizing.spread import Spread
from sim.timing.latency import CODEC, QUANTILES
from workloads.traces.events import OUT

if TYPE_CHECKING:
    from workloads.traces.sizes import Sizes
    from workloads.traces.trace import Trace

STEPS = 512  # sizes told apart, of a page: half the step of zsmalloc's classes

HERE = "this machine"

_used: WeakKeyDictionary[Trace, npt.NDArray[np.int64]] = WeakKeyDictionary()  # counted once for all cells of a sweep


def page_outs(trace: Trace) -> npt.NDArray[np.int64]:
    """How often each unique page is paged out; int64[unique pages], not to be written into."""
    if trace not in _used:
        used = np.zeros(trace.unique_pages, np.int64)
        for events in trace.batches():
            used += np.bincount(events.page[events.kind == OUT], minlength=trace.unique_pages)
        _used[trace] = used
    return _used[trace]


def compressed_sizes(trace: Trace, sizes: Sizes, used: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
    """Rows of the `sizes` frame: page-outs whose page, not a same-filled one, becomes at most `bytes` large.

    And larger than `bytes` - page_size / STEPS, or a byte. There is no row for sizes that no page-out has.
    """
    step, kept = max(1, trace.page_size // STEPS), ~sizes.same_filled
    counts = np.bincount(-(-sizes.size[kept] // step), weights=used[kept]).astype(np.int64)
    key = {"trace": trace.name, "compressor": sizes.meta["codec"]}
    return [key | {"bytes": int(i) * step, "page_outs": int(counts[i])} for i in np.flatnonzero(counts)]


def taken_on(trace: Trace, sizes: Sizes) -> str:
    """Where the times of a codec were taken: on `HERE`, whose processor follows, or where the trace was sized.

    Of another machine it says what the trace says: the kernel that it was recorded on, or the kind of processor.
    """
    if not sizes.compress_ns.any():
        return "none"
    if trace.content:
        return f"{HERE} ({processor()})"
    kernel, host = trace.source.get("kernel"), sizes.meta.get("host")
    told = next((text for text in (kernel, host) if isinstance(text, str) and text), "not told")
    return f"the machine of the trace ({told})"


def codec_times(trace: Trace, sizes: Sizes, used: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
    """Rows of the `latency` frame, operation `codec`: its times on the pages of the trace, once a page-out.

    Parts compress and decompress. `p50_low_us` and `p50_high_us` are there where several processes took the times: the
    lowest and the highest of their medians. Nothing for sizes without times, or without page-outs.
    """
    if not sizes.compress_ns.any() or not used.any():
        return []
    rows = []
    taken, spread = taken_on(trace, sizes), Spread.of(sizes.meta)
    for part, column in (("compress", sizes.compress_ns), ("decompress", sizes.decompress_ns)):
        times = np.repeat(column, used) / 1e3
        row: dict[str, Any] = {"trace": trace.name, "compressor": sizes.meta["codec"], "operation": CODEC, "part": part}
        row |= {"count": len(times), "mean_us": float(times.mean()), "max_us": float(times.max())}
        row["codec_times"] = taken
        if spread:
            row["p50_low_us"], row["p50_high_us"] = spread.part(part)
        rows.append(row | {name: float(np.quantile(times, q)) for name, q in QUANTILES.items()})
    return rows
