"""How figures that vary are told: intervals over seeds, spreads over programs."""

from __future__ import annotations

import numpy as np
import pandas as pd

T95 = {5: 2.776}  # Student's t, two-sided 95 %, for a mean of so many


def interval(values: pd.Series[float], digits: int = 2) -> str:
    """Mean and half of its 95 % interval, `1.23 ± 0.04`, from independent seeds (Student's t)."""
    half = T95[len(values)] * float(values.std(ddof=1)) / np.sqrt(len(values))
    return f"{values.mean():.{digits}f} ± {half:.{digits}f}"


def geometric(values: pd.Series[float]) -> float:
    """Geometric mean, for ratios."""
    return float(np.exp(np.log(values).mean()))


def among(values: pd.Series[float], digits: int = 2) -> str:
    """Geometric mean, and least and most: `0.95 (0.88-0.97)`. No interval: the programs are no sample of anything."""
    return f"{geometric(values):.{digits}f} ({values.min():.{digits}f}-{values.max():.{digits}f})"


def table(frame: pd.DataFrame) -> str:
    """A frame of texts as a Markdown table, with its index as the first column."""
    head = [str(frame.index.name or ""), *map(str, frame.columns)]
    rows = [head, ["---", *["---:"] * frame.shape[1]]]
    rows += [[str(name), *map(str, row)] for name, row in zip(frame.index, frame.to_numpy(), strict=True)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
