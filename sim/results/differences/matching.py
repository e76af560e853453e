"""Rows of one result beside those of another: the same run, but for what the two differ in throughout."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sim.errors import UserError
from sim.timing.latency import LATER, MEMORY, RUN, SETTING

if TYPE_CHECKING:
    import pandas as pd

KEYS = (*RUN, *MEMORY, *SETTING, *LATER)
A, B = "a", "b"
Keys = dict[str, set[str]]


def values_of(frames: list[pd.DataFrame]) -> Keys:
    """The values that each key has in any of the frames."""
    found: Keys = {}
    for frame in frames:
        for name in KEYS:
            if name in frame:
                found.setdefault(name, set()).update(map(plain, frame[name].unique()))
    return {name: values - {""} or {""} for name, values in found.items()}


def compared(one: Keys, other: Keys) -> dict[str, tuple[str, str]]:
    """The keys of which each side has a single value, and not the same: with these values."""
    found = {}
    for name in KEYS:
        mine, theirs = one.get(name, {""}), other.get(name, {""})
        if len(mine) == len(theirs) == 1 and mine != theirs:
            found[name] = (next(iter(mine)), next(iter(theirs)))
    return found


def matched(one: pd.DataFrame, other: pd.DataFrame, column: str, without: dict[str, Any]) -> pd.DataFrame:
    """Rows that both have: their keys as texts but for those in `without`, and the figures `a` and `b`; outer joined.

    A figure that a side has not is NaN. Raises UserError where keys do not tell the rows of a side apart.
    """
    keys = [name for name in KEYS if (name in one or name in other) and name not in without]
    sides = []
    for side, frame in ((A, one), (B, other)):
        texts = {name: frame[name].map(plain) if name in frame else "" for name in keys}
        rows = frame.assign(**texts, **{side: frame[column].astype(float)})[[*keys, side]].dropna(subset=side)
        if (twice := rows.duplicated(keys)).any():
            told = ", ".join(part for part in rows.loc[twice, keys].iloc[0] if part)
            raise UserError(
                f"{column}: several rows of {side.upper()} are alike ({told}); give results whose rows differ"
            )
        sides.append(rows)
    joined: pd.DataFrame = sides[0].merge(sides[1], "outer", keys, sort=False)
    return joined


def plain(value: Any) -> str:
    """A key as text, the same whatever type a frame keeps it in; empty where there is none."""
    import pandas as pd

    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
