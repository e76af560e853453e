"""Colours, names and small helpers that all pictures share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

# Okabe and Ito's palette: told apart by colour-blind readers too. An era or parameter shares its family's colour.
FAMILIES = {
    "zsmalloc": "#0072B2",
    "xvmalloc": "#D55E00",
    "zbud": "#CC79A7",
    "z3fold": "#E69F00",
    "order1": "#009E73",
    "kmalloc": "#999999",
    "coalesce": "#56B4E9",
    "ideal": "#000000",
}
OTHER = "#7F6A55"
LINES = ("-", "--", ":", "-.")


def colour(allocator: str) -> str:
    """The colour of an allocator's family."""
    return FAMILIES.get(allocator.partition(":")[0], OTHER)


def line_styles(allocators: list[str]) -> dict[str, str]:
    """A line style for each allocator: solid for the first of a family, others for its variants."""
    seen: dict[str, int] = {}
    styles = {}
    for allocator in allocators:
        family = allocator.partition(":")[0]
        styles[allocator] = LINES[seen.get(family, 0) % len(LINES)]
        seen[family] = seen.get(family, 0) + 1
    return styles


def in_order(column: pd.Series[Any]) -> list[Any]:
    """Distinct values in the order of their first appearance."""
    return list(dict.fromkeys(column))
