"""What a picture does not show, in words: no run is dropped in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.plots.style import in_order
from workloads.shown import shown

if TYPE_CHECKING:
    import pandas as pd

MOST = 12  # values named of a column


def left_out(rows: pd.DataFrame, drawn: pd.DataFrame, columns: tuple[str, ...]) -> str:
    """The values of `columns` that are in `rows` and not in `drawn`; "" when all are drawn."""
    told = []
    for column in columns:
        there = set(drawn[column].dropna())
        gone = [value for value in in_order(rows[column].dropna()) if value not in there]
        if gone:
            told.append(f"{column.replace('_', '-')} {listed(gone)}")
    return f"not shown here: {'; '.join(told)}" if told else ""


def listed(values: list[Any], between: str = ", ") -> str:
    """The values in one line, the first few of many."""
    words = [f"{value:g}" if isinstance(value, float) else shown(value) for value in values[:MOST]]
    return between.join(words) + (f" and {len(values) - MOST} more" if len(values) > MOST else "")
