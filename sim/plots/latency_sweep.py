"""Latency against the load, or against the number of CPUs: a line an allocator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sim.errors import UserError
from sim.plots.latency import OPERATIONS, first_setting, setting_text, timed
from sim.plots.style import colour, in_order, line_styles, short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Sweep(NamedTuple):
    """How a parameter is said."""

    title: str
    axis: str


SWEEPS = {
    "load": Sweep("How long a page takes, the more of them come", "times as many page-outs and page-ins as recorded"),
    "cpus": Sweep("How long a page takes, the more CPUs page at once", "CPUs"),
}


def plot_latency_sweep(latency: pd.DataFrame, by: str) -> Figure:
    """A row of panels a trace, a panel an operation; lines the mean, and thin ones the 99th percentile.

    `by` is "load" or "cpus", of which there must be several values; of all else the first codec, frontend and setting
    is drawn. Raises UserError.
    """
    import matplotlib.pyplot as plt

    rows = timed(latency)
    rows = first_setting(rows[rows["part"] == "total"], by)
    for column in ("compressor", "frontend"):
        rows = rows[rows[column] == rows[column].iloc[0]]
    if rows[by].nunique() < 2:
        raise UserError(f"latency against {by} needs runs of several; give --{by} more than once")
    traces, allocators = in_order(rows["trace"]), in_order(rows["allocator"])
    operations = [operation for operation in OPERATIONS if (rows["operation"] == operation).any()]
    figure, axes = plt.subplots(
        len(traces),
        len(operations),
        figsize=(2.4 + 4.2 * len(operations), 1.2 + 3.2 * len(traces)),
        squeeze=False,
        layout="constrained",
    )
    figure.suptitle(SWEEPS[by].title, fontsize=14, fontweight="bold")
    for i, trace in enumerate(traces):
        for j, operation in enumerate(operations):
            axis = axes[i][j]
            _draw(axis, rows[(rows["trace"] == trace) & (rows["operation"] == operation)], by, allocators)
            axis.set_title(f"{trace}: a {operation}", fontsize=10)
            axis.set_xlabel(SWEEPS[by].axis)
        axes[i][0].set_ylabel("us")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", frameon=False, fontsize=9)
    about = f"{rows['compressor'].iloc[0]} in {rows['frontend'].iloc[0]}, {setting_text(rows, by)}"
    figure.supxlabel(f"thick: mean    thin: 99 of 100 are faster    {about}", fontsize=9)
    return figure


def _draw(axis: Axes, rows: pd.DataFrame, by: str, allocators: list[Any]) -> None:
    styles = line_styles(allocators)
    for allocator in allocators:
        one = rows[rows["allocator"] == allocator].sort_values(by)
        look: Any = {"linestyle": styles[allocator], "color": colour(allocator)}
        axis.plot(one[by], one["mean_us"], **look, linewidth=2, marker="o", markersize=3.5, label=short(allocator))
        axis.plot(one[by], one["p99_us"], **look, linewidth=0.7)
    spread = rows["p99_us"].max() / max(rows["mean_us"].min(), 1e-9)
    axis.set_yscale("log" if spread > 30 else "linear")
    if spread <= 30:
        axis.set_ylim(bottom=0)
    if by == "cpus":
        axis.set_xticks(sorted(rows[by].unique()))
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="y", alpha=0.25)
