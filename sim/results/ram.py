"""The `ram` frame: what swapping still takes place on machines of other sizes, and what it costs.

One row per run, and per setting where runs are timed: the columns that tell them apart, then the figures of
`sim.ram.meter` and, timed, `time_lost_s` (page-ins and page-outs that the program waited for), `time_lost_share` (of
the time simulated; with several tasks it may exceed 1) and `slowdown` (the time simulated over the time recorded).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.plots.curves import LOST

if TYPE_CHECKING:
    import pandas as pd


def ram_frame(figures: list[dict[str, Any]], lost: list[dict[str, Any]]) -> pd.DataFrame:
    """The frame of the runs' figures, and of what timed ones lost."""
    import pandas as pd

    from sim.timing.latency import run_columns

    frame, timed = pd.DataFrame(figures), pd.DataFrame(lost)
    sizes = dict.fromkeys(("ram", "limit", "zone_pages", "max_comp_streams"), "Int64")
    frame, timed = (f.astype({name: kind for name, kind in sizes.items() if name in f}) for f in (frame, timed))
    if timed.empty:
        return frame
    key = list(run_columns(frame.columns))
    joined: pd.DataFrame = frame.merge(timed, on=key, how="left")
    settings = [name for name in timed.columns if name not in key and name not in LOST]
    return joined[[*key, *settings, *(name for name in joined.columns if name not in {*key, *settings})]]


def beside(density: pd.DataFrame, ram: pd.DataFrame) -> pd.DataFrame:
    """The rows of the `density` frame with the figures of the `ram` frame, of each setting where runs are timed."""
    from sim.timing.latency import run_columns

    if ram.empty:
        return density
    joined: pd.DataFrame = density.merge(ram, on=list(run_columns(density.columns)), how="left")
    return joined
