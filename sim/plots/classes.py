"""What each size class wastes at the fullest moment of the trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import UserError
from sim.plots.left_out import left_out
from sim.plots.panels import MOST_PANELS, PANEL, SMALL, Panels, label
from sim.plots.style import compressed, in_order, plainly, short
from workloads.shown import shown

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from sim.plots.panels import Drawn

# Of darkness that differs in grey as well.
PARTS = {
    "rounding": ("#56B4E9", "rounding up to the class, and handles"),
    "unused": ("#D55E00", "room for further objects"),
    "tail": ("#222222", "ends of zspages"),
}


@plainly
def plot_classes(
    classes: pd.DataFrame,
    allocator: str | None = None,
    page_size: int = 4096,
    *,
    ax: Any = None,
    title: str | None = None,
    note: str = "",
) -> Drawn:
    """One panel per trace (rows) and compressor (columns); a bar per size class, at the sizes that it takes.

    For one allocator, a spec, by default the first, in the first frontend; the caption names the others. `ax` are the
    axes to draw on, as many as there are panels. Raises UserError.
    """
    from matplotlib.patches import Patch

    if classes.empty:
        raise UserError("no size classes to plot; run an allocator that has some, such as -a zsmalloc")
    allocator = str(classes["allocator"].iloc[0]) if allocator is None else allocator
    if (classes["allocator"] != allocator).all():
        there = ", ".join(map(short, in_order(classes["allocator"])))
        raise UserError(f"no size classes of {allocator} to plot; there are those of {there}")
    rows = classes[classes["allocator"] == allocator]
    rows = rows[rows["frontend"] == rows["frontend"].iloc[0]]
    codecs = in_order(rows["compressor"])
    traces = in_order(rows["trace"])[: max(1, MOST_PANELS // len(codecs))]
    rows = rows[rows["trace"].isin(traces)]
    picture = Panels(len(traces), len(codecs), 4.2, 2.7, ax, sharex=True, sharey="row")
    for i, trace in enumerate(traces):
        for j, codec in enumerate(codecs):
            axis = picture.grid[i, j]
            mine = rows[(rows["trace"] == trace) & (rows["compressor"] == codec)].sort_values("class_size")
            if mine.empty:
                axis.set_axis_off()
                continue
            _draw(axis, mine, page_size)
            taken = int((mine["zspages"] * mine["class_pages"]).sum())
            lost = float(mine[list(PARTS)].to_numpy().sum()) / page_size
            small = "; pool too small to judge" if "small" in mine and mine["small"].all() else ""
            told = f"{lost:,.0f} of {taken:,} pages wasted{small}"
            axis.set_title(f"{shown(trace)}, {compressed(codec)}\n{told}", fontsize=PANEL)
            axis.tick_params(labelsize=SMALL, labelbottom=True)
            axis.set_xlabel("object size of the class, bytes", fontsize=SMALL)
        picture.grid[i, 0].set_ylabel("pages wasted", fontsize=SMALL)
    handles = [Patch(facecolor=colour, label=label(words)) for colour, words in PARTS.values()]
    caption = [
        f"{short(allocator)} in {short(rows['frontend'].iloc[0])}, at the trace's fullest moment",
        left_out(classes, rows, ("trace", "frontend", "allocator")),
        note,
    ]
    return picture.finish("What each size class wastes", title, caption, handles)


def _draw(axis: Axes, rows: pd.DataFrame, page_size: int) -> None:
    """Bars up to the size of each class, stacked; those of a part are one artist, as there are hundreds."""
    from matplotlib.collections import PolyCollection

    ends = rows["class_size"].to_numpy(float)
    starts = np.maximum(np.append(0.0, ends[:-1]), ends - page_size // 32)
    below = np.zeros(len(ends))
    for part, (colour, _) in PARTS.items():
        above = below + rows[part].to_numpy() / page_size
        corners = np.array([[starts, below], [starts, above], [ends, above], [ends, below]])
        bars = PolyCollection(list(corners.transpose(2, 0, 1)), facecolor=colour)
        bars.sticky_edges.y.append(0.0)  # no margin below the bars
        axis.add_collection(bars)
        below = above
    axis.autoscale_view(scalex=False)
    axis.set_xlim(0, page_size)
    axis.set_xticks(range(0, page_size, page_size // 4096 * 1000))
    axis.grid(axis="y", alpha=0.25)
