"""What is compared: figures of the frames, each by a row of a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from sim.results.density import small_pools
from sim.timing.latency import CODEC, TOTAL

if TYPE_CHECKING:
    import pandas as pd

    from sim.results.result import Result

DENSITY = ("density", "density_mean", "effective_density")
PAGES = ("pages_peak", "pages_mean", "refused")
RAM = ("page_ins", "page_outs")
LATENCY = {"p50_us": "median", "mean_us": "mean", "p99_us": "99th percentile"}
OPERATIONS = {"page-out": ("compress",), "page-in": ("decompress",)}


class Measure(NamedTuple):
    """A column of figures, and the rows that have it."""

    name: str
    rows: pd.DataFrame
    column: str
    more_is_better: bool = False
    codec_parts: tuple[str, ...] = ()  # whose clocks' noise is in it; none in what does not depend on a clock
    modelled: bool = True  # of the times that the provenance has a digest of; bare codec times may be others


def measures(result: Result) -> Iterator[Measure]:
    """Those that a result has. Densities of pools too small to judge are none."""
    density, ram, latency = result.density, result.ram, result.latency
    if len(density):
        judged = density[~small_pools(density)]
        yield from (Measure(name, judged, name, True) for name in DENSITY if name in density)
        yield from (Measure(name, density, name) for name in PAGES if name in density)
    yield from (Measure(name, ram, name) for name in RAM if name in ram)
    if "time_lost_s" in ram:
        yield Measure("time_lost_s", ram, "time_lost_s", codec_parts=("compress", "decompress"))
    if len(latency):
        for operation, parts in OPERATIONS.items():
            rows = latency[(latency["operation"] == operation) & (latency["part"] == TOTAL)]
            for name, told in LATENCY.items():
                if name in rows:
                    yield Measure(f"{operation} {told}, us", rows, name, codec_parts=parts)
        for part in ("compress", "decompress"):
            rows = latency[(latency["operation"] == CODEC) & (latency["part"] == part)]
            yield Measure(f"{part} median, us", rows, "p50_us", codec_parts=(part,), modelled=False)
