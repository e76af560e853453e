"""The `latency` frame: how long every kind of operation took, and its parts.

Tidy: one row per operation and part of a run. The first columns say which run:

- `trace`, `frontend`, `compressor`, `allocator`, as in the `density` frame;
- where they are set, `zone_pages`, `unusable`, `unusable_order`, `seed`, `ram`, `limit`, `policy` (`MEMORY`);
- `mapping`, `cpus`, `arrivals`, `load`, `device`, `page_cluster`: the setting (`sim.timing.setting`);
- where they are set, `cpu_scale`, `max_comp_streams`, `costs`, `codec_costs` (`LATER`).

Then `operation` and `part`, and the figures `count`, `mean_us`, ten percentiles from `p1_us` to `p999_us` (the 99.9th),
by which a distribution can be drawn, and `max_us`.

Operations: `page-out`, `page-in`, `free`, `compact`, `writeback` (entries that zswap moves to the device) and `failed`
(those whose object could not be mapped). Parts (`PARTS`) add up to `total` in every operation, and so do their means;
percentiles do not. Every part of an operation has the same count: an operation that did not wait counts as a wait of 0.

The operation `codec` is there in every result, timed or not: the bare compression and decompression of the pages that
are paged out, as measured; it knows no frontend, allocator or setting, so those columns are empty. Where several
processes measured them (`cswap trace time`), their medians lie between `p50_low_us` and `p50_high_us` (`SPREAD`).

`codec_times` says where the times of the codec were taken on which a row rests (`sim.results.codec_times.taken_on`).
"""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

RUN = ("trace", "frontend", "compressor", "allocator")
MACHINE = ("ram", "limit", "policy")
MEMORY = ("zone_pages", "unusable", "unusable_order", "seed", *MACHINE)
LATER = ("cpu_scale", "max_comp_streams", "costs", "codec_costs")
SETTING = ("mapping", "cpus", "arrivals", "load", "device", "page_cluster")
QUANTILES = {
    **{"p1_us": 0.01, "p5_us": 0.05, "p10_us": 0.1, "p25_us": 0.25, "p50_us": 0.5, "p75_us": 0.75},
    **{"p90_us": 0.9, "p95_us": 0.95, "p99_us": 0.99, "p999_us": 0.999},
}
SPREAD = ("p50_low_us", "p50_high_us")
FIGURES = ("count", "mean_us", *QUANTILES, "max_us")

OPERATIONS = ("page-out", "page-in", "free", "compact", "writeback", "failed")
CODEC = "codec"

# What an operation's time is made of.
PARTS = (
    "queue",  # waiting for a CPU, and for kswapd
    "path",  # the kernel's way to the frontend and back; fault and reclaim
    "memory",  # waiting for lines out of the caches, on the way to the object
    "check",  # same-filled?
    "stream",  # waiting for a compression stream
    "compress",
    "lock",  # waiting for the allocator's lock
    "alloc",  # under the lock, and pages taken and given back
    "map",  # objects that span pages
    "copy",
    "decompress",
    "readahead",  # all that a page-in does for other pages
    "device",  # waiting for the swap device and its service
)
TOTAL = "total"


def run_columns(columns: Container[Any]) -> tuple[str, ...]:
    """Those of a frame's columns that tell runs apart, without a clock."""
    return (*RUN, *(name for name in MEMORY if name in columns))


def setting_columns(columns: Container[Any]) -> tuple[str, ...]:
    """Those of a frame's columns that tell settings apart."""
    return (*SETTING, *(name for name in LATER if name in columns))


def frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The frame of these rows; what a row does not say is empty."""
    import pandas as pd

    there = {name for row in rows for name in row}
    columns = [*run_columns(there), *setting_columns(there), "operation", "part", *FIGURES]
    columns += [name for name in (*SPREAD, "codec_times") if name in there]
    kinds = dict.fromkeys(columns, "string") | dict.fromkeys(FIGURES, "float64")
    kinds |= {"cpus": "Int64", "page_cluster": "Int64", "load": "Float64", "count": "int64"}
    kinds |= {"zone_pages": "Int64", "unusable": "Float64", "unusable_order": "Int64", "seed": "Int64"}
    kinds |= {"ram": "Int64", "limit": "Int64"}
    kinds |= {"p50_low_us": "Float64", "p50_high_us": "Float64"}
    kinds |= {"cpu_scale": "Float64", "max_comp_streams": "Int64"}
    return pd.DataFrame(rows, columns=columns).astype({name: kinds[name] for name in columns})
