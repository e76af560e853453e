"""A table of a report: texts and figures by row, as many rows as are looked at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

MOST_ROWS = 120
NONE = "-"


class Cell(NamedTuple):
    """What stands in a row; `best` is drawn in bold, `words` are wrapped."""

    text: str
    best: bool = False
    words: bool = False


class Table(NamedTuple):
    """Rows of texts: the first `keys` columns are heads of their row."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    keys: int
    note: str = ""

    @property
    def shown(self) -> Sequence[Sequence[Cell]]:
        """The rows that a page has room for."""
        return self.rows[:MOST_ROWS]

    @property
    def left_out(self) -> int:
        """How many rows it has no room for."""
        return len(self.rows) - len(self.shown)


def figure(value: Any, form: str = "{:.2f}") -> str:
    """A number as text; a dash where there is none."""
    return form.format(value) if _is_finite(value) else NONE


def row(keys: Sequence[object], values: Sequence[Any], form: str = "{:.2f}", best: Any = None) -> list[Cell]:
    """Heads, then figures, of which those that read like `best` are the best, unless all do."""
    told = figure(best, form) if _is_finite(best) else ""
    figures = [figure(value, form) for value in values]
    told = told if set(figures) - {told, NONE} else ""
    return [*(Cell(str(key)) for key in keys), *(Cell(text, text == told) for text in figures)]


def _is_finite(value: Any) -> bool:
    import pandas as pd

    return value is not None and value is not pd.NA and math.isfinite(value)
