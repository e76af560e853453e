"""The density comparison: allocators side by side, for each trace and compressor, with the ideal line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sim.errors import UserError
from sim.plots.left_out import left_out
from sim.plots.names import geometric_mean
from sim.plots.panels import MOST_PANELS, PANEL, SMALL, Panels, label
from sim.plots.style import colour, compressed, in_order, named, plainly, short
from workloads.shown import shown

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from sim.plots.panels import Drawn

IDEAL = "ideal"
ROOM = 1.2  # times the largest density: the figures stand right of it
BAR = 0.27  # inches for a line of a label
EMPTY = 0.95  # inches of a row of panels without bars


@plainly
def plot_density(density: pd.DataFrame, *, ax: Any = None, title: str | None = None, note: str = "") -> Drawn:
    """One panel per trace (rows) and compressor (columns): bars at the fullest moment, a dot for the mean over time.

    A pool that is too small to judge (column `small`) has no bars, and the panel says so. `ax` are the axes to draw on,
    as many as there are panels; a new figure by default. `note` is added to the caption.
    """
    if density.empty:
        raise UserError("no runs to plot; run an experiment first")
    everything = density = density.reset_index(drop=True)  # of concatenated frames
    codecs = in_order(density["compressor"])
    traces = in_order(density["trace"])[: max(1, MOST_PANELS // len(codecs))]
    density = density[density["trace"].isin(traces)]
    frontends = in_order(density["frontend"])
    panels = dict(iter(density.groupby(["trace", "compressor"], sort=False)))
    labels = density["allocator"].map(named(density["allocator"]))
    labels = labels + " (" + density["frontend"].map(short) + ")" if len(frontends) > 1 else labels
    density = density.assign(label=labels.map(label))
    order = _order(density)
    high = EMPTY + BAR * max(sum(1 + 0.7 * name.count("\n") for name in order), 2)
    judged = {trace for (trace, _), rows in panels.items() if not smallness(rows)}
    heights = [high if trace in judged else EMPTY for trace in traces]
    picture = Panels(len(traces), len(codecs), 3.6, heights, ax, sharey="row", sharex="row")
    for i, trace in enumerate(traces):
        widest = 0.0
        for j, codec in enumerate(codecs):
            axis, rows = picture.grid[i, j], panels.get((trace, codec))
            if rows is None:
                axis.set_axis_off()
                continue
            axis.set_title(f"{shown(trace)}, {compressed(codec)}", fontsize=PANEL)
            axis.tick_params(labelsize=SMALL, left=False)
            if small := smallness(rows):
                say_small(axis, small)
            else:
                widest = max(widest, _draw(axis, density.loc[rows.index], order))
            first = not any((trace, left) in panels for left in codecs[:j])  # of its row
            axis.tick_params(labelleft=first and trace in judged, left=first and trace in judged)
            if first and trace in judged:
                axis.set_ylabel(f"{int(rows['objects_peak'].max()):,} pages stored", fontsize=SMALL)
            if trace in judged and not judged & set(traces[i + 1 :]):  # the lowest
                axis.set_xlabel("compressed pages per physical page", fontsize=SMALL)
        for axis in picture.grid[i]:
            axis.set_xlim(0, ROOM * widest or 1)
    dotted = "; dotted line: the mean of the ideal" if (density["allocator"] == IDEAL).any() else ""
    bars = [
        "bar and figure: at the trace's fullest moment; dashed line: stored without any loss (ideal) at that moment",
        "dot: mean over time; the pages of other moments may compress better, so it may lie beyond the dashed line"
        + dotted,
    ]
    unjudged = "small" in density and density["small"].any()
    caption = [
        *(bars if judged else ()),
        "a pool too small to judge: a few partly filled zspages would decide its density" if unjudged else "",
        f"frontend {', '.join(map(short, frontends))}; more is better",
        left_out(everything, density, ("trace",)),
        note,
    ]
    return picture.finish("How many compressed pages fit in one physical page", title, caption)


def _order(density: pd.DataFrame) -> list[str]:
    """The labels of the bars, the densest first, by the pools that can be judged."""
    bars = density[density["allocator"] != IDEAL]
    judged = bars[~bars["small"].astype(bool)] if "small" in bars else bars
    judged = judged if len(judged) else bars
    means = judged.groupby("label", sort=False)["density"].apply(geometric_mean)
    return [str(name) for name in means.sort_values(ascending=False, kind="stable").index]


def smallness(rows: pd.DataFrame) -> str:
    """What a panel says in place of a pool that is too small to judge; empty for others."""
    if "small" not in rows or not rows["small"].all():
        return ""
    refused = rows.get("refused_peak", 0)
    return f"pool of {int((rows['pages_peak'] + refused).max()):,} pages: too small to judge"


def say_small(axis: Axes, words: str) -> None:
    """Write it where bars or lines would be."""
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_visible(False)
    axis.text(0.5, 0.5, words, transform=axis.transAxes, ha="center", va="center", fontsize=SMALL, style="italic")


def _draw(axis: Axes, rows: pd.DataFrame, order: list[str]) -> float:
    """Draw the bars; the largest density there is."""
    runs = {str(run["label"]): run for run in rows.to_dict("records")}
    ideals = [run for run in runs.values() if run["allocator"] == IDEAL]
    bound = max(run["density"] for run in ideals) if ideals else max(run["ideal_density"] for run in runs.values())
    widest = 0.0
    for y, name in enumerate(order):
        if name not in runs or math.isnan(value := runs[name]["density"]):
            continue
        if runs[name].get("small"):  # beside others that are not: in another frontend
            at_left: Any = {"textcoords": "offset points", "va": "center", "fontsize": SMALL, "style": "italic"}
            axis.annotate("too small to judge", (0, y), (4, 0), **at_left)
            continue
        mean = runs[name]["density_mean"]
        widest = max(widest, value, 0 if math.isnan(mean) else mean)
        axis.barh(y, value, color=colour(str(runs[name]["allocator"])), height=0.72, alpha=0.85)
        axis.plot(mean, y, "o", markersize=4.5, color="white", markeredgecolor="black")
        axis.annotate(
            f"{value:.2f}",
            (1, y),
            (-2, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=SMALL,
        )
    if math.isfinite(bound):
        axis.axvline(bound, linestyle="--", linewidth=1.2, color="black")
        at: Any = {"xytext": (-3, 0), "textcoords": "offset points", "ha": "right", "fontsize": SMALL}
        axis.annotate(f"ideal {bound:.2f}", (bound, -0.62), **at)
        widest = max(widest, bound)
    if ideals and math.isfinite(mean := ideals[0]["density_mean"]):
        axis.vlines(mean, -0.5, len(order) - 0.4, linestyle=":", linewidth=1, color="black")  # below the label
        widest = max(widest, mean)
    axis.set_yticks(range(len(order)), order)
    axis.set_ylim(len(order) - 0.4, -1.05)
    return widest
