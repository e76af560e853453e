"""The kernel's own codecs: how much longer or shorter they take than those by which pages are sized.

Both are the same algorithm, but not the same code: the kernel's is compiled without vector instructions. The ratios are
costs ([codec] in `costs.toml`), by the family of the codec.
"""

from __future__ import annotations

from dataclasses import replace

from sim.timing.codec_costs import PARTS, PUBLISHED
from sim.timing.costs import Costs
from workloads.traces.sizes import Sizes


def family(codec: str) -> str:
    """The codec of a spec, as costs call it."""
    return codec.partition(":")[0].replace("-", "_")


def ratio(codec: str, part: str, costs: Costs) -> float:
    """What the kernel's code takes, relative to the code by which pages are sized; 1 where it is not known."""
    cost = costs.entries.get(f"codec.{family(codec)}_{part}")
    return 1.0 if cost is None else cost.value


def as_in_the_kernel(sizes: Sizes, costs: Costs) -> Sizes:
    """Sizes with the kernel's times; those that were published for the kernel of another machine stay."""
    columns = {}
    for part in PARTS:
        longer = ratio(sizes.meta.get("codec", ""), part, costs)
        if longer != 1 and part not in sizes.meta.get(PUBLISHED, "").split():
            times = getattr(sizes, f"{part}_ns")
            columns[f"{part}_ns"] = (times * longer).round().astype(times.dtype)
    return replace(sizes, **columns)
