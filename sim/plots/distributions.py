"""Lifetimes and reuse distances of what is in slots: cumulative, by counts and by time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import UserError
from sim.plots.panels import SMALL, Panels
from sim.plots.style import plainly
from workloads.shown import shown

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from sim.plots.panels import Drawn

LOOKS = {
    "freed": ("#0072B2", "-"),
    "overwritten": ("#D55E00", "--"),
    "page-ins": ("#009E73", "-"),
}
ONE, NS = 1.0, 1e9  # what stands in the frames, of a unit of the axis
LEAST = {ONE: 1.0, NS: 1e-6}  # where an axis may begin; what is less stands there


@plainly
def plot_lifetimes(
    events: pd.DataFrame, ns: pd.DataFrame, trace: str, page_outs: int, *, ax: Any = None, title: str | None = None
) -> Drawn:
    """How many of all `page_outs` were freed, or overwritten, within so many events, and within so many seconds.

    The frames have a row an end and a bucket: `end`, `least`, `most`, `count`; `ns` may be empty. `ax` are the axes to
    draw on, two with times. Raises UserError without rows.
    """
    if events.empty or set(events["end"]) <= {"held"}:
        raise UserError(f"{trace}: has no page-outs that were freed or overwritten to plot")
    picture, panels = _panels(events, ns, ax)
    handles: list[Any] = []
    for axis, frame, unit in panels:
        lines = {end: frame[frame["end"] == end] for end in ("freed", "overwritten")}
        handles = _draw(axis, {end: rows for end, rows in lines.items() if len(rows)}, page_outs, unit)
        axis.set_xlabel("events after the page-out" if unit == ONE else "time after the page-out", fontsize=SMALL)
    picture.grid[0, 0].set_ylabel("% of page-outs", fontsize=SMALL)
    held = int(events.loc[events["end"] == "held", "count"].sum())
    told = f"{held:,} of {page_outs:,} page-outs are still in their slots when the trace ends"
    return picture.finish(f"How long pages stay in swap: {shown(trace)}", title, [told], handles)


@plainly
def plot_reuse(
    between: pd.DataFrame, ns: pd.DataFrame, trace: str, *, ax: Any = None, title: str | None = None
) -> Drawn:
    """How many page-ins read what was paged out so many page-outs, and so many seconds, before.

    The frames have a row a bucket: `least`, `most`, `count`; `ns` may be empty. `ax` are the axes to draw on, two with
    times. Raises UserError without rows.
    """
    if between.empty:
        raise UserError(f"{trace}: has no page-ins of what was paged out, so there is nothing to plot")
    picture, panels = _panels(between, ns, ax)
    total = int(between["count"].sum())
    for axis, frame, unit in panels:
        _draw(axis, {"page-ins": frame}, total, unit)
        axis.set_xlabel("other page-outs in between" if unit == ONE else "time after the page-out", fontsize=SMALL)
    picture.grid[0, 0].set_ylabel("% of page-ins", fontsize=SMALL)
    return picture.finish(f"How soon pages are read back: {shown(trace)}", title, [f"{total:,} page-ins"])


def _panels(counts: pd.DataFrame, ns: pd.DataFrame, ax: Any) -> tuple[Panels, list[tuple[Axes, pd.DataFrame, float]]]:
    """One panel, or a second one beside it where there are times."""
    frames = [(counts, ONE), *([(ns, NS)] if len(ns) and ns["most"].any() else [])]
    picture = Panels(1, len(frames), 4.6, 3.2, ax, sharey="row")
    return picture, [(axis, *frame) for axis, frame in zip(picture.grid[0], frames, strict=True)]


def _draw(axis: Axes, lines: dict[str, pd.DataFrame], total: int, unit: float) -> list[Any]:
    """A cumulative line each, from where the first per cent is done; the lines."""
    from matplotlib.ticker import EngFormatter, StrMethodFormatter

    first, last = _ends(lines.values(), total, unit)
    drawn = []
    for name, rows in lines.items():
        color, dashes = LOOKS[name]
        within = np.maximum(rows["most"].to_numpy() / unit, first)
        share = 100 * rows["count"].to_numpy().cumsum() / total
        steps = np.concatenate(([first], within, [last])), np.concatenate(([0], share, share[-1:]))
        drawn += axis.plot(*steps, drawstyle="steps-post", color=color, linestyle=dashes, linewidth=1.7, label=name)
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}") if unit == ONE else EngFormatter("s"))
    axis.set_xlim(first, last)
    axis.set_ylim(0, 102)
    axis.tick_params(labelsize=SMALL)
    axis.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    return drawn


def _ends(lines: Iterable[pd.DataFrame], total: int, unit: float) -> tuple[float, float]:
    """Where the axis begins, a power of ten that at most a per cent is below, and where it ends."""
    frames = [rows for rows in lines if len(rows)]
    below = [min(int((rows["count"].cumsum() < total / 100).sum()), len(rows) - 1) for rows in frames]
    at = [float(rows["most"].iloc[row]) for rows, row in zip(frames, below, strict=True)]
    least = max(min(at, default=0) / unit, LEAST[unit])
    first = 10.0 ** math.floor(math.log10(least))
    return first, max([float(rows["most"].iloc[-1]) / unit for rows in frames] + [10 * first])
