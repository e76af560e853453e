"""How figures that vary are told: intervals over seeds, spreads over programs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sim.plots.names import geometric_mean
from sim.results.differences.chance import quantile


def interval(values: pd.Series[float], digits: int = 2) -> str:
    """Mean and half of its 95 % interval, `1.23 ± 0.04`, from independent seeds (Student's t)."""
    half = quantile(len(values) - 1) * float(values.std(ddof=1)) / np.sqrt(len(values))
    return f"{values.mean():.{digits}f} ± {half:.{digits}f}"


def among(values: pd.Series[float], digits: int = 2) -> str:
    """Geometric mean, and least and most: `0.95 (0.88-0.97)`. No interval: the programs are no sample of anything."""
    return f"{geometric_mean(values):.{digits}f} ({values.min():.{digits}f}-{values.max():.{digits}f})"


def table(frame: pd.DataFrame) -> str:
    """A frame of texts as a Markdown table, with its index as the first column."""
    head = [str(frame.index.name or ""), *map(str, frame.columns)]
    rows = [head, ["---", *["---:"] * frame.shape[1]]]
    rows += [[str(name), *map(str, row)] for name, row in zip(frame.index, frame.to_numpy(), strict=True)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
