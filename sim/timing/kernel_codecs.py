"""The kernel's own codecs: how much longer or shorter they take than those by which pages are sized.

Both are the same algorithm, but not the same code: the kernel is compiled without vector instructions, and zstd's
user-space library is another version. The ratios are costs ([codec] in `costs.toml`), by the family of the codec.
"""

from __future__ import annotations

from dataclasses import replace

from sim.timing.codec_costs import PARTS, PUBLISHED
from sim.timing.costs import Costs
from workloads.traces.sizes import Sizes


def family(codec: str) -> str:
    """The codec of a spec, as costs call it."""
    return codec.partition(":")[0].replace("-", "_")


def as_in_the_kernel(sizes: Sizes, costs: Costs) -> Sizes:
    """Sizes with the kernel's times; those that were published for the kernel of another machine stay."""
    columns = {}
    for part in PARTS:
        ratio = costs.entries.get(f"codec.{family(sizes.meta.get('codec', ''))}_{part}")
        if ratio is not None and part not in sizes.meta.get(PUBLISHED, "").split():
            times = getattr(sizes, f"{part}_ns")
            columns[f"{part}_ns"] = (times * ratio.value).round().astype(times.dtype)
    return replace(sizes, **columns)
