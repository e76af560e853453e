"""Latency against the load, a line per compressor; or against the number of CPUs, a line per allocator.

Where there is one compressor only, or one allocator, the lines are the other of the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sim.errors import UserError
from sim.plots.latency import OPERATIONS, first_setting, setting_text, some_timed
from sim.plots.style import codec_colour, colour, in_order, line_styles, plainly, short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Sweep(NamedTuple):
    """The label of a parameter, and what the lines are; of the other of compressor and allocator the first is drawn."""

    title: str
    axis: str
    lines: str
    other: str


SWEEPS = {
    "load": Sweep(
        "How long a page takes, the more of them come",
        "load, times the recorded one",
        "compressor",
        "allocator",
    ),
    "cpus": Sweep("How long a page takes, the more CPUs page at once", "CPUs", "allocator", "compressor"),
}
LARGE = 30  # times the least: a spread for a logarithmic scale


@plainly
def plot_latency_sweep(latency: pd.DataFrame, by: str) -> Figure:
    """A row of panels a trace, a panel per operation; lines the mean, and thin ones the 99th percentile.

    `by` is "load" or "cpus", of which there must be several values; of all else the first frontend and setting
    is drawn. Raises UserError.
    """
    import matplotlib.pyplot as plt

    sweep, rows = SWEEPS[by], some_timed(latency)
    rows = first_setting(rows[rows["part"] == "total"], by)
    if rows[sweep.lines].nunique() == 1:
        sweep = sweep._replace(lines=sweep.other, other=sweep.lines)
    for column in ("frontend", sweep.other):
        rows = rows[rows[column] == rows[column].iloc[0]]
    if rows[by].nunique() < 2:
        raise UserError(f"latency against {by} needs runs of several; give --{by} more than once")
    traces = in_order(rows["trace"])
    operations = [operation for operation in OPERATIONS if (rows["operation"] == operation).any()]
    figure, axes = plt.subplots(
        len(traces),
        len(operations),
        figsize=(2.4 + 4.2 * len(operations), 1.2 + 3.2 * len(traces)),
        squeeze=False,
        layout="constrained",
    )
    figure.suptitle(sweep.title, fontsize=14, fontweight="bold")
    for i, trace in enumerate(traces):
        for j, operation in enumerate(operations):
            axis = axes[i][j]
            _draw(axis, rows[(rows["trace"] == trace) & (rows["operation"] == operation)], by, sweep)
            axis.set_title(f"{trace}: a {operation}", fontsize=10)
            if i == len(traces) - 1:
                axis.set_xlabel(sweep.axis)
        axes[i][0].set_ylabel("us")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", frameon=False, fontsize=9)
    about = f"{short(rows[sweep.other].iloc[0])} in {rows['frontend'].iloc[0]}, {setting_text(rows, by)}"
    figure.supxlabel(f"thick: mean    thin: 99 of 100 are faster    {about}", fontsize=9)
    return figure


def _draw(axis: Axes, rows: pd.DataFrame, by: str, sweep: Sweep) -> None:
    names = in_order(rows[sweep.lines])
    styles = line_styles(names)
    for name in names:
        one = rows[rows[sweep.lines] == name].sort_values(by)
        shade = colour(name) if sweep.lines == "allocator" else codec_colour(name)
        look: Any = {"linestyle": styles[name], "color": shade}
        axis.plot(one[by], one["mean_us"], **look, linewidth=2, marker="o", markersize=3.5, label=short(name))
        axis.plot(one[by], one["p99_us"], **look, linewidth=0.7)
    values = sorted(rows[by].unique())
    if values[-1] > 4 * values[0]:
        axis.set_xscale("log")
    axis.set_xticks(values, [f"{value:g}" for value in values])
    if rows["p99_us"].max() > LARGE * rows["mean_us"].min():
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter("{x:,g}")
    else:
        axis.set_ylim(bottom=0)
    axis.minorticks_off()
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="y", alpha=0.25)
