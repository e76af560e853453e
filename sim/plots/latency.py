"""What the latency plots share: the rows that they draw, and labels of settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.errors import UserError
from sim.timing.latency import SETTING

if TYPE_CHECKING:
    import pandas as pd

OPERATIONS = ("page-out", "page-in")


def timed(rows: pd.DataFrame) -> pd.DataFrame:
    """Page-outs and page-ins of timed runs, of the `latency` frame or the per-event frame; maybe none."""
    return rows[rows["operation"].isin(OPERATIONS)] if "operation" in rows else rows


def some_timed(rows: pd.DataFrame) -> pd.DataFrame:
    """The same. Raises UserError when there are none."""
    found = timed(rows)
    if found.empty:
        raise UserError("no timed runs to plot; run with --timing")
    return found


def first_setting(rows: pd.DataFrame, free: str = "") -> pd.DataFrame:
    """The rows in the setting that stands first; the column `free` may have any value."""
    first = rows.iloc[0]
    for column in SETTING:
        if column != free:
            rows = rows[rows[column] == first[column]]
    return rows


def setting_text(rows: pd.DataFrame, free: str = "") -> str:
    """The setting of the rows in words, without the column `free`."""
    one: Any = rows.iloc[0]
    words = {
        "cpus": f"{one['cpus']} CPU{'s' if one['cpus'] > 1 else ''}",
        "arrivals": f"arrivals {one['arrivals']}",
        "load": f"load x {one['load']:g}" if one["load"] != 1 else "",
        "mapping": f"mapping by {one['mapping']}",
        "page_cluster": f"page-cluster {one['page_cluster']}",
        "device": f"swap device {one['device']}",
    }
    return ", ".join(text for column, text in words.items() if text and column != free)
