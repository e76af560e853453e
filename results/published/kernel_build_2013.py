"""P4, zsmalloc's density in zswap while a kernel is built (Magenheimer, February 2013).

- small_pools.csv: density, mean over the time of the recording gcc (its events; sizes by rank from a beta distribution
  of the published mean and standard deviation), in pools of zswap limited to so many pages; 0 is no limit. `filled` is
  each page stored once. zsmalloc is that of staging; zswap wrote back the oldest entries, as era 6.6 does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sim import Experiment, run
from sim.experiment.inputs import open_input
from sim.frontends.zswap import Zswap
from workloads import Trace
from workloads.traces.sizes import GIVEN, Sizes

PAGE = 4096
PUBLISHED = {694: (474, 3.2), 1340: (842, 1.9), 1636: (1031, 1.6)}  # mean bytes: standard deviation, density
POOLS = (0, 4096, 2048, 1024, 512, 256, 128, 64, 32)  # pages


def small_pools() -> pd.DataFrame:
    """Density published and simulated; a row a mean size and pool."""
    recording = open_input("gcc")
    rows: list[dict[str, Any]] = []
    for mean, (sd, published) in PUBLISHED.items():
        trace = resized(recording, mean, sd)
        key = {"mean": mean, "sd": sd, "published": published}
        frontends = ["zswap:era=6.6", *(f"zswap:era=6.6,max_pool_percent=100,ram_pages={n}" for n in POOLS[1:])]
        found = run(
            Experiment((trace,), frontends=tuple(frontends), compressors=(GIVEN,), allocators=("zsmalloc:era=2012",))
        ).density
        for n, row in zip(POOLS, found.to_dict("records"), strict=True):
            rows.append(key | {"pool": n, "density": row["density_mean"], "most_pages": row["pages_max"]})
    return pd.DataFrame(rows)
