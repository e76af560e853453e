"""How large pages are after compression, with the boundaries of zsmalloc's size classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import UserError
from sim.plots.left_out import left_out
from sim.plots.panels import MOST_PANELS, PANEL, SMALL, Panels
from sim.plots.style import FAMILIES, codec_colour, compressed, in_order, plainly, short
from workloads.shown import shown

if TYPE_CHECKING:
    import pandas as pd

    from sim.plots.panels import Drawn

BARS = 128  # of a page, each a whole number of the frame's steps


@plainly
def plot_sizes(
    sizes: pd.DataFrame,
    zsmalloc: str = "zsmalloc",
    page_size: int = 4096,
    *,
    ax: Any = None,
    title: str | None = None,
    note: str = "",
) -> Drawn:
    """One panel per trace (rows) and compressor (columns): the share of page-outs by compressed size.

    Grey lines are the largest objects of each class of the allocator `zsmalloc`, a spec; `ax` are the axes to draw on,
    as many as there are panels. Raises UserError without rows.
    """
    if sizes.empty:
        raise UserError("no compressed sizes to plot; run an experiment first")
    codecs = in_order(sizes["compressor"])
    traces = in_order(sizes["trace"])[: max(1, MOST_PANELS // len(codecs))]
    classes, huge = boundaries(zsmalloc, page_size)
    picture = Panels(len(traces), len(codecs), 4.2, 2.5, ax, sharex=True, sharey="row")
    width = page_size / BARS
    edges = np.arange(0, max(page_size, sizes["bytes"].max()) + width, width)
    for i, trace in enumerate(traces):
        for j, codec in enumerate(codecs):
            axis = picture.grid[i, j]
            rows = sizes[(sizes["trace"] == trace) & (sizes["compressor"] == codec)]
            if rows.empty:
                axis.set_axis_off()
                continue
            # A row tells of sizes up to `bytes`: it belongs to the bar that ends there or later.
            share, _ = np.histogram(rows["bytes"] - 0.5, edges, weights=100 * rows["page_outs"])
            axis.stairs(share / rows["page_outs"].sum(), edges, fill=True, color=codec_colour(codec))
            across = axis.get_xaxis_transform()
            axis.vlines(classes, 0, 0.06, transform=across, color="black", linewidth=0.6)  # one artist: quick to draw
            axis.axvline(huge, linestyle="--", color=FAMILIES["ideal"], linewidth=1)
            axis.set_title(f"{shown(trace)}, {compressed(codec)}", fontsize=PANEL)
            axis.set_xlim(0, edges[-1])
            axis.set_xticks(np.arange(0, page_size, page_size // 4096 * 1000))
            axis.tick_params(labelsize=SMALL, labelbottom=True)
            axis.set_xlabel("bytes", fontsize=SMALL)
        picture.grid[i, 0].set_ylabel("% of page-outs", fontsize=SMALL)
    caption = [
        f"bars of {width:g} bytes, same-filled pages left out; ticks: the largest object of each of the {len(classes)} "
        f"size classes of {short(zsmalloc)}; dashed: from {huge:,} bytes on an object takes a whole page",
        left_out(sizes, sizes[sizes["trace"].isin(traces)], ("trace",)),
        note,
    ]
    return picture.finish("How large pages are when they are compressed", title, caption)


def boundaries(spec: str, page_size: int) -> tuple[list[int], int]:
    """The largest object of each class, and the smallest that is alone in its zspage."""
    from sim.plugins import make_allocator

    allocator = make_allocator(spec, page_size)
    classes = allocator.size_class_of(np.arange(page_size + 1))
    return np.flatnonzero(np.diff(classes)).tolist(), int(allocator.huge_size)
