"""P4, zsmalloc's density in zswap while a kernel is built (Magenheimer, February 2013).

- small_pools.csv: density in zsmalloc of staging with sizes from a beta distribution of the published mean and
  standard deviation. `filled`: each page of the recording gcc stored once; `replayed`: its events, larger pages in
  larger sizes, mean objects over mean pages; with a `pool`, in zswap limited to so many pages, which writes back the
  oldest (era 6.6).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from allocators.compiled.batch import ALLOC, run_operations
from sim import Experiment, run
from sim.experiment.inputs import open_input
from sim.plugins import make_allocator
from workloads import Trace
from workloads.traces.sizes import GIVEN, Sizes

PAGE = 4096
PUBLISHED = {694: (474, 3.2), 1340: (842, 1.9), 1636: (1031, 1.6)}  # mean bytes: standard deviation, density
POOLS = (4096, 2048, 1024, 768, 640, 512, 384)  # pages
STAGING = "zsmalloc:era=2012"


def small_pools() -> pd.DataFrame:
    """Density published and simulated; a row a mean size, way and pool."""
    recording = open_input("gcc")
    recorded = recording.sizes("lzo")
    assert recorded is not None
    events = next(recording.batches(recording.n_events))
    rows: list[dict[str, Any]] = []
    for mean, (sd, published) in PUBLISHED.items():
        size = np.empty(len(recorded), np.int64)
        size[np.argsort(recorded.size, kind="stable")] = np.sort(beta(mean, sd, len(recorded)))
        key = {"mean": mean, "sd": sd, "published": published}
        rows.append(key | {"way": "filled", "pool": 0, "density": filled(size)})
        trace = Trace.from_arrays("gcc", events, None, {GIVEN: Sizes.given(size)})
        frontends = ["raw", *(f"zswap:era=6.6,max_pool_percent=100,ram_pages={n}" for n in POOLS)]
        found = run(Experiment((trace,), frontends=tuple(frontends), allocators=(STAGING,), compressors=("lzo",)))
        mean_of = found.timeline.groupby("frontend", sort=False)[["objects", "pages"]].mean()
        for pool, density in zip((0, *POOLS), mean_of["objects"] / mean_of["pages"], strict=True):
            rows.append(key | {"way": "replayed", "pool": pool, "density": density})
    return pd.DataFrame(rows)


def beta(mean: float, sd: float, n: int) -> Any:
    """n whole numbers of bytes, from 28, what LZO made of a page of zeros."""
    share = mean / PAGE
    weight = share * (1 - share) / (sd / PAGE) ** 2 - 1
    draws = PAGE * np.random.default_rng(0).beta(share * weight, (1 - share) * weight, n)
    return np.maximum(np.rint(draws), 28).astype(np.int64)


def filled(size: Any) -> float:
    """Objects a page when each is stored once."""
    allocator = make_allocator(STAGING)
    run_operations(allocator, np.full(len(size), ALLOC, np.uint8), np.arange(len(size)), size)
    return len(size) / allocator.pages
