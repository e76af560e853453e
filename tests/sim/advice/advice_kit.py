"""A made-up program in a small memory, whose pages compress as a test wants it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from lru_kit import recorded

from workloads import Sizes, Trace

MEMORY, PAGES, USES = 60, 200, 3000
Given = dict[str, tuple[int, float, float]]  # by compressor: bytes a page, us to compress and to decompress it

DENSE: Given = {"lz4": (1600, 4, 2), "zstd:level=3": (900, 12, 4)}
HARD: Given = {"lz4": (4096, 4, 2), "zstd:level=3": (4000, 12, 4)}


def toy(given: Given, *, us: int = 1000, name: str = "toy") -> Trace:
    """With `us` between two events."""
    trace = recorded(MEMORY, pages=PAGES, uses=USES)
    (events,) = trace.batches()
    n, pages = len(events), trace.unique_pages
    events = replace(events, time_ns=np.arange(n) * us * 1000, task=np.ones(n, np.int32))
    sizes = {
        codec: replace(
            Sizes.given([size] * pages),
            compress_ns=np.full(pages, round(out * 1000)),
            decompress_ns=np.full(pages, round(back * 1000)),
            meta={"codec": codec},
        )
        for codec, (size, out, back) in given.items()
    }
    source = trace.source | {"vmstat": {"swap_ra": 0}}
    return Trace.from_arrays(name, events, None, sizes, source=source)
