"""Codec times on real pages, every codec on the same pages in turn.

How known pitfalls are avoided: within a run no codec sees a page twice in a row, because the second time is a good
third faster (the branches are trained); codecs take turns on each batch of pages, in another order each time, so that
all see the same neighbours' noise; compressions lie apart from decompressions; cold and warm pages are different
passes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from sim.calibration.samples import Samples
from sim.compressors.base import BATCH, Compressor, Pages

LEAST_FLUSH, MOST_FLUSH = 64 << 20, 256 << 20
"""Bytes read to evict everything else from the caches: twice the largest cache, between these."""
CACHE = Path("/sys/devices/system/cpu/cpu0/cache")
STATES = ("cold", "warm")


def batches(pages: int, states: Sequence[str] = STATES) -> int:
    """Batches that `measure_codecs` makes of so many pages."""
    return len(states) * -(-pages // BATCH)


def flusher() -> Callable[[], object]:
    """A call that evicts what the caches hold, the last one too."""
    return np.ones(min(max(2 * _largest_cache(), LEAST_FLUSH), MOST_FLUSH) // 8, np.uint64).sum


def _largest_cache() -> int:
    """Bytes of the largest cache that the machine shows; 0 if it shows none."""
    sizes = [file.read_text().strip() for file in CACHE.glob("index*/size")]
    return max((int(size[:-1]) << 10 for size in sizes if size.endswith("K")), default=0)


def measure_codecs(
    samples: Samples,
    compressors: Sequence[Compressor],
    pages: Pages,
    rng: np.random.Generator,
    done: Callable[[int], object] = lambda done: None,
    states: Sequence[str] = STATES,
) -> None:
    """Add times of compression and decompression of each page, cold and warm, with overheads subtracted.

    `done` is called with the number of finished `batches`. Raises CodecError if a page does not decompress to itself.
    """
    if not len(pages):
        return
    flush = flusher()
    for codec in compressors:  # compiled, and its memory made, before it is timed, on none of these pages
        codec.measure(np.zeros_like(pages[:BATCH]))
    finished = 0
    for state in states:
        order = rng.permutation(len(pages))
        for start in range(0, len(pages), BATCH):
            numbers = order[start : start + BATCH]
            batch = pages[numbers]
            for i in rng.permutation(len(compressors)):
                codec = compressors[i]
                if state == "cold":
                    _, *times = codec.measure(batch, flush)
                else:
                    _, *times = codec.measure(batch.copy())
                for part, ns in zip(("compress", "decompress"), times, strict=True):
                    samples.add("codec", ns, numbers, codec.spec, part, state)
            finished += 1
            done(finished)
