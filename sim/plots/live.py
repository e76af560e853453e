"""The live-set curve of a trace, and its traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import UserError
from sim.plots.panels import SMALL, Panels
from sim.plots.style import plainly
from workloads.shown import shown

if TYPE_CHECKING:
    import pandas as pd

    from sim.plots.panels import Drawn

SLOTS, OUTS, INS = "#0072B2", "#E69F00", "#000000"
BINS = 120  # of the traffic
HEIGHTS = [2.6, 1.7]


@plainly
def plot_live(live: pd.DataFrame, trace: str, page_size: int, *, ax: Any = None, title: str | None = None) -> Drawn:
    """Two panels over time, or over events without times: slots that hold a page; page-outs and page-ins.

    `live` has a row a sample: `event`, `time_s` if known, `slots`, and so far `page_outs` and `page_ins`. `ax` are two
    axes to draw on. Raises UserError without rows.
    """
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    if live.empty:
        raise UserError(f"{trace}: has no events to plot")
    timed = "time_s" in live and live["time_s"].iloc[-1] > 0
    clock = np.append(0.0, live["time_s"] if timed else live["event"] + 1)
    picture = Panels(2, 1, 8.5, HEIGHTS, ax, sharex=True)
    above, below = picture.grid[:, 0]
    slots = np.append(0, live["slots"])
    above.fill_between(clock, slots, step="post", color=SLOTS, alpha=0.25, linewidth=0)
    above.plot(clock, slots, drawstyle="steps-post", color=SLOTS, linewidth=1.5)
    above.set_ylabel("slots that hold a page", fontsize=SMALL)
    edges = np.linspace(0, clock[-1], BINS + 1)
    unit, name = (1, "pages a second") if timed else (1000, "pages per 1,000 events")
    handles = []
    for column, word, color, width in (("page_outs", "page-outs", OUTS, 3.0), ("page_ins", "page-ins", INS, 1.1)):
        rate = np.diff(np.interp(edges, clock, np.append(0, live[column]))) / np.diff(edges) * unit
        below.stairs(rate, edges, color=color, linewidth=width, label=word)  # both seen where equal
        handles.append(below.patches[-1])
    below.set_ylabel(name, fontsize=SMALL)
    below.set_xlabel("seconds" if timed else "events")
    below.xaxis.set_major_locator(MaxNLocator(8))
    for axis in (above, below):
        axis.set_xlim(0, clock[-1])
        axis.set_ylim(bottom=0)
        axis.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axis.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    peak = int(live["slots"].max())
    told = f"most: {peak:,} slots, {peak * page_size / 2**20:,.1f} MiB of pages"
    return picture.finish(f"Pages in swap: {shown(trace)}", title, [told], handles)
