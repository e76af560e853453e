"""The density comparison: allocators side by side, for each trace and compressor, with the ideal line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sim.errors import UserError
from sim.plots.names import geometric_mean
from sim.plots.style import colour, in_order, plainly, short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

IDEAL = "ideal"


@plainly
def plot_density(density: pd.DataFrame) -> Figure:
    """One panel per trace (rows) and compressor (columns); bars at the peak, a dot for the mean over time."""
    import matplotlib.pyplot as plt

    if density.empty:
        raise UserError("no runs to plot; run an experiment first")
    traces, codecs = in_order(density["trace"]), in_order(density["compressor"])
    frontends = in_order(density["frontend"])
    panels = dict(iter(density.groupby(["trace", "compressor"], sort=False)))
    labels = _labels(density, len(frontends) > 1)
    bars = density.assign(label=labels)[density["allocator"] != IDEAL]
    order = list(
        bars.groupby("label")["density"].apply(geometric_mean).sort_values(ascending=False, kind="stable").index
    )
    figure, axes = plt.subplots(
        len(traces),
        len(codecs),
        figsize=(1.5 + 3.6 * len(codecs), 1.6 + len(traces) * (0.7 + 0.26 * max(len(order), 1))),
        squeeze=False,
        sharey=True,
        sharex="row",
        layout="constrained",
    )
    figure.suptitle("How many compressed pages fit into one physical page", fontsize=14, fontweight="bold")
    for i, trace in enumerate(traces):
        for j, codec in enumerate(codecs):
            axis = axes[i][j]
            rows = panels.get((trace, codec))
            if rows is None:
                axis.set_axis_off()
                continue
            _draw(axis, rows.assign(label=labels.loc[rows.index]), order)
            axis.set_title(f"{trace}, compressed by {short(codec)}", fontsize=10)
            if not any((trace, left) in panels for left in codecs[:j]):  # the first of its row
                axis.tick_params(labelleft=True)
                axis.set_ylabel(f"at most {int(rows['objects_peak'].max()):,} pages stored", fontsize=9)
            if i == len(traces) - 1:
                axis.set_xlabel("compressed pages per physical page")
    figure.supxlabel(
        "bar and figure: when most pages were held    dot: mean over time    dashed line: no loss at all (ideal)\n"
        f"frontend {', '.join(frontends)}; more is better",
        fontsize=9,
    )
    return figure


def _labels(density: pd.DataFrame, several: bool) -> pd.Series[str]:
    names = density["allocator"].map(short)
    return names + " (" + density["frontend"] + ")" if several else names


def _draw(axis: Axes, rows: pd.DataFrame, order: list[str]) -> None:
    runs = {str(run["label"]): run for run in rows.to_dict("records")}
    ideal = [run["density"] for run in runs.values() if run["allocator"] == IDEAL]
    bound = max(ideal or [run["ideal_density"] for run in runs.values()])
    for y, label in enumerate(order):
        if label not in runs or math.isnan(value := runs[label]["density"]):
            continue
        axis.barh(y, value, color=colour(str(runs[label]["allocator"])), height=0.72, alpha=0.85)
        axis.plot(runs[label]["density_mean"], y, "o", markersize=4, color="white", markeredgecolor="black")
        axis.annotate(
            f"{value:.2f}",
            (0, y),
            (4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            fontweight="bold",
            color="white",
        )
    axis.axvline(bound, linestyle="--", linewidth=1, color="black")
    axis.annotate(f"ideal {bound:.2f}", (bound, -0.62), (-3, 0), textcoords="offset points", ha="right", fontsize=8)
    axis.set_yticks(range(len(order)), order)
    axis.set_ylim(len(order) - 0.4, -1.05)
    axis.set_xlim(0, max(axis.get_xlim()[1], bound * 1.05))
    axis.spines[["top", "right"]].set_visible(False)
