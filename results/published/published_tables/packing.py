"""P5, P9, P10, P18 and P19: several objects to a page, or none.

- slots.csv (P18): pages with at most two or three compressed ones in each, beside zbud and z3fold.
- cuts.csv (P19): by era and chain, the largest size for which an object takes less than a page, and what 2,990 bytes
  take.
- histograms.csv (P5): density of two histograms of sizes, each size as likely as any other in its bin; `many`: were
  there so many that zspages not full do not count.
- pools.csv (P9): most RAM ever in zswap's pools, in proportion to zsmalloc.
- z3fold.csv (P10): pages stored per page of the pool, at the fullest moment and mean over time, with lzo.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from allocators import Allocator, TooLarge
from allocators.zspages.zsmalloc import Zsmalloc
from sim import Experiment, run
from sim.plugins import COMPRESSORS, make_allocator
from sim.sizing.sizing import size_pages
from workloads import open_sample

PAGE = 4096
TRACES = ("gcc", "pandas", "redis", "node")
CHAINS = (4, 8, 16)
FUCHSIA = {2: 6255, 3: 4276}  # RFC-0219: pages that hold 12,510 of 64 MiB, by the most in one; lz4, acceleration 11
CUT = int(0.7 * PAGE)
FAR_MEMORY = 2990  # bytes above which Google's far memory stores nothing (ASPLOS 2019)
BINS = {  # pages by compressed size, bins of 254 bytes from 32: Gupta, September 2012
    "/usr/lib": "7644 4226 11868 20356 43443 39374 32903 37631 42400 51921 56255 59346 36545 12872 6513 3482",
    "Gutenberg": "70 68 43 36 46 78 142 244 561 1272 3889 17826 3896 358 465 804",
}
POOLS = {"zsmalloc": 1137659904, "zbud": 1535741952, "z3fold": 1151303680}  # bytes: Ahmed, 2024, kernel build
Z3FOLD = {"z3fold": 2.7, "zbud": 1.7}  # Documentation/vm/z3fold.txt, 2016


def slots() -> pd.DataFrame:
    """Pages, those that compress to 70 % or less, pages that hold these, how many are in one, and the ratio of all."""
    rows = [slotted("Fuchsia", f"{most} a page", PAGE * 4, 12510, pages) for most, pages in FUCHSIA.items()]
    codec = COMPRESSORS.make("lz4:acceleration=11")
    measured = {name: size_pages(open_sample(name), codec, workers=1) for name in TRACES}
    size = {name: sizes.size[~sizes.same_filled] for name, sizes in measured.items()}
    for name, own in {**size, "all four": np.concatenate(list(size.values()))}.items():
        small = own[own <= CUT]
        for spec in ("zbud", "z3fold", "zsmalloc"):
            rows.append(slotted(name, spec, len(own), len(small), stored(make_allocator(spec), small)))
    return pd.DataFrame(rows)


def slotted(workload: str, pool: str, pages: int, small: int, held: int) -> dict[str, Any]:
    shares = {"in_a_page": small / held, "overall": pages / (pages - small + held)}
    counts = {"pages": pages, "stored": small, "stored_percent": 100 * small / pages, "pool_pages": held}
    return {"workload": workload, "pool": pool, **counts, **shares}


def stored(allocator: Allocator, size: Any) -> int:
    """Pages held for objects of these sizes; whole ones for those that it does not take."""
    whole = 0
    for wanted in size.tolist():
        try:
            allocator.alloc(wanted)
        except TooLarge:
            whole += 1
    return allocator.pages + whole


def cuts() -> pd.DataFrame:
    """By era and chain: the largest size that gains, and the class, its sizes and what it takes, of 2,990 bytes."""
    combinations = [(era, 4) for era in ("2012", "3.19", "4.4", "6.1")]
    combinations += [(era, chain) for era in ("2022", "6.3", "6.12") for chain in CHAINS]
    rows = []
    for era, chain in combinations:
        allocator = Zsmalloc(era=era, chain=chain)
        of = allocator.state.class_of
        shared = allocator.huge_size - 1
        takes = [100 * c.pages / c.objs for c in allocator.classes]
        alike = np.flatnonzero(of == of[FAR_MEMORY])
        rows.append(
            {"era": era, "chain": chain, "largest_that_gains": shared, "takes_percent": takes[of[shared]]}
            | {"bytes": FAR_MEMORY, "its_takes_percent": takes[of[FAR_MEMORY]], "alike_from": alike[0], "to": alike[-1]}
        )
    return pd.DataFrame(rows)


def histograms() -> pd.DataFrame:
    """Compressed pages per page, by histogram and allocator."""
    rows = []
    for name, counts in BINS.items():
        size = np.concatenate([32 + 254 * i + np.arange(n) * 254 // n for i, n in enumerate(map(int, counts.split()))])
        np.random.default_rng(0).shuffle(size)
        for spec in ("ideal", "zsmalloc:era=6.1", "zsmalloc", "zsmalloc:chain=16", "z3fold", "zbud"):
            allocator = make_allocator(spec)
            row = {"histogram": name, "allocator": spec, "density": len(size) / stored(allocator, size)}
            if isinstance(allocator, Zsmalloc):
                takes = np.array([c.pages / c.objs for c in allocator.classes])
                row["many"] = len(size) / takes[allocator.size_class_of(size)].sum()
            rows.append(row)
    return pd.DataFrame(rows)


def pools() -> pd.DataFrame:
    """Most RAM of a pool beyond zsmalloc's in percent, published for a kernel build and simulated."""
    found = run(Experiment(TRACES, allocators=tuple(POOLS), compressors=("lz4", "lzo-rle", "zstd"))).density
    rows = [{"workload": "kernel build", "codec": "not told"} | beyond(POOLS)]
    for (trace, codec), group in found.groupby(["trace", "compressor"], sort=False):
        rows.append({"workload": trace, "codec": codec} | beyond(group.set_index("allocator")["pages_max"]))
    return pd.DataFrame(rows)


def beyond(pool: Any) -> dict[str, float]:
    return {f"{name}_percent": 100 * (pool[name] / pool["zsmalloc"] - 1) for name in ("zbud", "z3fold")}


def z3fold() -> pd.DataFrame:
    """Pages stored per page of the pool; a row a recording and allocator."""
    found = run(Experiment(TRACES, allocators=tuple(Z3FOLD), compressors=("lzo",))).density
    found["published"] = found["allocator"].map(Z3FOLD)
    return found[["trace", "allocator", "published", "density", "density_mean"]]
