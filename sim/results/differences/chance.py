"""Whether ratios differ from one by more than chance: Student's t over their logarithms, without a library for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Two-sided 95 % quantiles of Student's t for 1 to 30 degrees of freedom.
T = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131),
    *(2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)


def quantile(freedom: int) -> float:
    """The quantile, right to 0.002."""
    return T[freedom - 1] if freedom <= len(T) else 1.960 + 2.4 / freedom


def interval(logs: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of the mean of some logarithms; without bounds for fewer than two."""
    n = len(logs)
    if n < 2:
        return -np.inf, np.inf
    half = quantile(n - 1) * float(np.std(logs, ddof=1)) / n**0.5
    mean = float(np.mean(logs))
    return mean - half, mean + half
