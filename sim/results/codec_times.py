"""What the codecs cost: times of the page-outs and page-ins of a trace, by the measured time of each page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.timing.latency import CODEC, QUANTILES
from workloads.traces.events import OUT

if TYPE_CHECKING:
    from workloads.traces.sizes import Sizes
    from workloads.traces.trace import Trace


def codec_times(trace: Trace, sizes: Sizes) -> list[dict[str, Any]]:
    """Rows of the `latency` frame, operation `codec`: its times on the pages of the trace, once a page-out.

    Parts compress and decompress. Nothing for sizes without times, or without page-outs.
    """
    if not sizes.compress_ns.any():
        return []
    used = np.zeros(trace.unique_pages, np.int64)
    for events in trace.batches():
        used += np.bincount(events.page[events.kind == OUT], minlength=trace.unique_pages)
    if not used.any():
        return []
    rows = []
    for part, column in (("compress", sizes.compress_ns), ("decompress", sizes.decompress_ns)):
        times = np.repeat(column, used) / 1e3
        row: dict[str, Any] = {"trace": trace.name, "compressor": sizes.meta["codec"], "operation": CODEC, "part": part}
        row |= {"count": len(times), "mean_us": float(times.mean()), "max_us": float(times.max())}
        rows.append(row | {name: float(np.quantile(times, q)) for name, q in QUANTILES.items()})
    return rows
