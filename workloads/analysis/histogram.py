"""Counts of whole numbers of any size, in little memory: exact up to 255, then to 8 significant bits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

BITS = 8  # significant: a number is at most 0.8 % more than what stands for it
SHIFT = 53 - BITS  # of a float64's mantissa
ONE = 1023 << (BITS - 1)  # the bits of 1.0 that are left
BUCKETS = (63 << (BITS - 1)) + 1
PERCENTILES = (10, 50, 90)

Ints = npt.NDArray[np.int64]


class Histogram:
    """Numbers from 0 to 2**63-1, counted by buckets: exponent and leading bits."""

    def __init__(self) -> None:
        self.counts = np.zeros(BUCKETS, np.int64)

    def add(self, values: Ints) -> None:
        """Count all of them."""
        self.counts += np.bincount(bucket_of(values), minlength=BUCKETS)

    def __add__(self, other: Histogram) -> Histogram:
        both = Histogram()
        both.counts = self.counts + other.counts
        return both

    def __len__(self) -> int:
        return int(self.counts.sum())

    def percentile(self, percent: int) -> int | None:
        """Nearest rank, rounded down to its bucket; None of nothing."""
        rank = max(1, math.ceil(len(self) * percent / 100))
        return least_of(int(np.searchsorted(self.counts.cumsum(), rank))) if len(self) else None

    def percentiles(self, unit: float | None = None) -> dict[str, float | None]:
        """`p10`, `p50` and `p90`, divided by `unit`; None of nothing."""
        found = {f"p{percent}": self.percentile(percent) for percent in PERCENTILES}
        return {key: value if value is None or unit is None else value / unit for key, value in found.items()}

    def frame(self) -> pd.DataFrame:
        """A row a bucket in use: the `least` and the `most` that it may hold, and `count`."""
        import pandas as pd

        used = np.flatnonzero(self.counts).tolist()
        rows = [(least_of(one), max(least_of(one), least_of(one + 1) - 1), int(self.counts[one])) for one in used]
        return pd.DataFrame(rows, columns=["least", "most", "count"])


def bucket_of(values: Ints) -> Ints:
    """The bucket of each number."""
    large = values >= 1 << 53  # whose last bits a float would round
    exact = np.where(large, values & ~0x7FF, values).astype(np.float64)
    found: Ints = np.maximum((exact.view(np.int64) >> SHIFT) - ONE + 1, 0)
    return found


def least_of(bucket: int) -> int:
    """The least number in a bucket."""
    if bucket < 1:
        return 0
    return math.ceil(np.int64((bucket - 1 + ONE) << SHIFT).view(np.float64))
