"""Sizing against a bare loop of `lz4.block.compress` over the same pages, as ratios within one run.

Run `python benchmarks/bench_sizing.py [PAGES]`: pages of the shipped samples and random ones, 100,000 by default.
"""

import statistics
import sys
import time
from collections.abc import Callable

import lz4.block
import numpy as np

from sim.plugins import COMPRESSORS
from sim.sizing.sizing import size_pages
from sim.workers import processors
from workloads import Events, Trace, open_sample

PAGES = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
ROUNDS = 5


def many_pages(count: int) -> np.ndarray:
    """Real pages, each made different by its last eight bytes, so that all are unique."""
    real = np.concatenate([open_sample(name).page_array(0, 10_000) for name in ("gcc", "pandas")])
    pages = real[np.arange(count) % len(real)]
    pages[:, -8:] = np.arange(count, dtype=np.uint64)[:, None].view(np.uint8)
    return pages


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    pages = many_pages(PAGES)
    count = np.arange(PAGES)
    trace = Trace.from_arrays("bench", Events.of(kind=count * 0, slot=count, page=count), pages)
    rows = [page.tobytes() for page in pages]

    def bare() -> None:
        for row in rows:
            lz4.block.compress(row)

    print(f"{trace.unique_pages:,} unique pages, {processors()} cores, medians of {ROUNDS} rounds")
    for spec in ("lz4-lib", "lz4", "lzo-rle", "zstd"):
        ratios, speedups, per_page = [], [], []
        for _ in range(ROUNDS):
            loop = seconds(bare)
            one = seconds(lambda: size_pages(trace, COMPRESSORS.make(spec), workers=1))  # noqa: B023
            two = seconds(lambda: size_pages(trace, COMPRESSORS.make(spec), workers=2))  # noqa: B023
            ratios.append(one / loop)
            speedups.append(one / two)
            per_page.append(one / trace.unique_pages * 1e6)
        print(
            f"{spec:8} one core {statistics.median(per_page):6.2f} us a page (checked by decompression), "
            f"{statistics.median(ratios):5.2f} x the bare loop; two cores {statistics.median(speedups):.2f} x faster"
        )


if __name__ == "__main__":
    main()
