"""Memory held over the course of a trace, one line per allocator."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sim.errors import UserError
from sim.plots.style import colour, in_order, line_styles, plainly, short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

COLUMNS = 3  # panels side by side


@plainly
def plot_timeline(timeline: pd.DataFrame) -> Figure:
    """One panel per trace, for the first frontend and compressor; the allocators' pages over time (or events)."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator

    if timeline.empty:
        raise UserError("no runs to plot; run an experiment first")
    traces, allocators = in_order(timeline["trace"]), in_order(timeline["allocator"])
    styles = line_styles(allocators)
    columns = min(len(traces), COLUMNS)
    height = math.ceil(len(traces) / columns)
    figure, axes = plt.subplots(
        height, columns, figsize=(2.2 + 4.2 * columns, 0.6 + 3.8 * height), squeeze=False, layout="constrained"
    )
    figure.suptitle("Physical pages held while the trace runs", fontsize=14, fontweight="bold")
    for axis in axes.flat[len(traces) :]:
        axis.set_axis_off()
    for axis, trace in zip(axes.flat, traces, strict=False):
        rows = timeline[timeline["trace"] == trace]
        codec, frontend = rows["compressor"].iloc[0], rows["frontend"].iloc[0]
        rows = rows[(rows["compressor"] == codec) & (rows["frontend"] == frontend)]
        clock = "time_s" if rows["time_s"].notna().all() else "event"
        for allocator in allocators:
            one = rows[rows["allocator"] == allocator]
            axis.plot(
                one[clock],
                one["pages"],
                styles[allocator],
                color=colour(allocator),
                label=short(allocator),
                linewidth=1.4,
            )
        axis.set_title(f"{trace}, {codec} in {frontend}", fontsize=10)
        axis.set_xlabel("seconds" if clock == "time_s" else "events")
        axis.set_ylim(bottom=0)
        axis.xaxis.set_major_locator(MaxNLocator(5))
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes[:, 0]:
        axis.set_ylabel("pages")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", frameon=False, fontsize=9)
    return figure
