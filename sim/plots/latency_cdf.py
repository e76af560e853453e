"""Cumulative distributions of page-out and page-in times, by compressor and allocator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.errors import UserError
from sim.plots.latency import OPERATIONS, first_setting, setting_text, timed
from sim.plots.style import LINES, codec_colour, in_order, plainly, short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 400  # of a curve
LONG = 8  # times the median: an end of the axis for a logarithmic scale
SHOWN = 99.9  # percentile where the axis ends


@plainly
def plot_latency_cdf(events: pd.DataFrame) -> Figure:
    """A row of panels per trace, a panel per operation; the first setting.

    A colour per compressor, a line style per allocator.

    `events` is the per-event frame. Raises UserError when it is empty.
    """
    import matplotlib.pyplot as plt
    from matplotlib.lines import Line2D

    rows = timed(events)
    if rows.empty:
        raise UserError("no single operations to plot; run with --timing --events")
    rows = first_setting(rows)
    rows = rows[rows["frontend"] == rows["frontend"].iloc[0]]
    traces, codecs, allocators = (in_order(rows[column]) for column in ("trace", "compressor", "allocator"))
    operations = [operation for operation in OPERATIONS if (rows["operation"] == operation).any()]
    styles = {allocator: LINES[i % len(LINES)] for i, allocator in enumerate(allocators)}
    figure, axes = plt.subplots(
        len(traces),
        len(operations),
        figsize=(2.6 + 4.2 * len(operations), 1.2 + 3.2 * len(traces)),
        squeeze=False,
        sharey=True,
        layout="constrained",
    )
    figure.suptitle("How many pages are done within how long", fontsize=14, fontweight="bold")
    for i, trace in enumerate(traces):
        for j, operation in enumerate(operations):
            axis = axes[i][j]
            _draw(axis, rows[(rows["trace"] == trace) & (rows["operation"] == operation)], styles)
            axis.set_title(f"{trace}: {operation}s", fontsize=10)
            axis.set_xlabel("us")
        axes[i][0].set_ylabel("% done within that time")
    handles = [Line2D([], [], color=codec_colour(codec), linewidth=4, label=short(codec)) for codec in codecs]
    for allocator in allocators:
        handles += axes[0][0].plot([], [], styles[allocator], color="black", linewidth=1.3, label=short(allocator))
    figure.legend(handles=handles, loc="outside right center", frameon=False, fontsize=9)
    figure.supxlabel(f"in {rows['frontend'].iloc[0]}, {setting_text(rows)}; further left is faster", fontsize=9)
    return figure


def _draw(axis: Axes, rows: pd.DataFrame, styles: dict[str, str]) -> None:
    from matplotlib.ticker import LogLocator

    share, order = np.linspace(0, 100, POINTS), list(styles)
    end = 0.0
    for codec, allocator in dict.fromkeys(zip(rows["compressor"], rows["allocator"], strict=True)):
        one = rows[(rows["compressor"] == codec) & (rows["allocator"] == allocator)]
        us = one["total_us"].to_numpy()
        end = max(end, float(np.percentile(us, SHOWN)))
        width = 3 - 2 * order.index(allocator) / len(order)  # where lines lie on each other, all are seen
        axis.plot(
            np.percentile(us, share), share, styles[allocator], color=codec_colour(codec), linewidth=width, alpha=0.7
        )
    if end > LONG * rows["total_us"].median():
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter("{x:,g}")
        axis.minorticks_off()
        axis.set_xlim(max(0.5, rows["total_us"].min()), end)
    else:
        axis.set_xlim(0, end or 1)
    axis.set_ylim(0, 101)
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)
