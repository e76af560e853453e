"""What the codecs cost: times of the page-outs and page-ins of a trace, by the measured time of each page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workloads.events import OUT

if TYPE_CHECKING:
    from workloads.sizes import Sizes
    from workloads.trace import Trace

PERCENTILES = {"p50_us": 50.0, "p95_us": 95.0, "p99_us": 99.0, "max_us": 100.0}


def codec_costs(trace: Trace, sizes: Sizes) -> list[dict[str, Any]]:
    """Rows of the `latency` frame: codec time of the pages that the trace pages out, once an event.

    Columns trace, compressor, part (compress or decompress), count, mean_us, p50_us, p95_us, p99_us, max_us. Nothing
    for sizes without times, or without page-outs.
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
        figures = {name: float(np.percentile(times, q)) for name, q in PERCENTILES.items()}
        rows.append(
            {"trace": trace.name, "compressor": sizes.meta["codec"], "part": part, "count": len(times)}
            | {"mean_us": float(times.mean())}
            | figures
        )
    return rows
