"""Memory held over the course of a trace, one line per allocator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.errors import UserError
from sim.plots.left_out import listed
from sim.plots.panels import MOST_PANELS, PANEL, Panels, flow, label
from sim.plots.style import in_order, looks, named, plainly, short
from workloads.shown import shown
from workloads.traces.sizes import GIVEN

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from sim.plots.panels import Drawn
    from sim.plots.style import Look

COLUMNS = 3  # panels side by side
MOST_COLUMNS = 5  # where each trace has a row of its own
APART = 0.12  # markers, as a share of the panel's diagonal


@plainly
def plot_timeline(timeline: pd.DataFrame, *, ax: Any = None, title: str | None = None, note: str = "") -> Drawn:
    """One panel per trace, compressor and frontend; the allocators' pages over time (or events).

    `ax` are the axes to draw on, as many as there are panels; a new figure by default. `note` is added to the caption.
    """
    from matplotlib.lines import Line2D

    if timeline.empty:
        raise UserError("no runs to plot; run an experiment first")
    keys = ["trace", "compressor", "frontend"]
    panels: dict[Any, pd.DataFrame] = dict(iter(timeline.groupby(keys, sort=False)))
    drawn = list(panels)[:MOST_PANELS]
    beside = max(sum(other[0] == trace for other in drawn) for trace in {key[0] for key in drawn})
    whole = 1 < beside <= MOST_COLUMNS and beside * len({key[0] for key in drawn}) == len(drawn)  # a row per trace
    rows, columns = flow(len(drawn), beside if whole else COLUMNS)
    styles = looks(in_order(timeline["allocator"]))
    names = named(styles)
    picture = Panels(rows, columns, 4.2, 3.4, ax, sharey="row" if whole else False)
    for axis in picture.grid.flat[len(drawn) :]:
        axis.set_axis_off()
    for axis, key in zip(picture.grid.flat, drawn, strict=False):
        _draw(axis, panels[key], styles, names)
        axis.set_title(_told(key), fontsize=PANEL)
    for axis in picture.grid[:, 0]:
        axis.set_ylabel("physical pages")
    handles = [Line2D([], [], **look._asdict(), label=label(names[name])) for name, look in styles.items()]
    gone = [_told(key) for key in list(panels)[MOST_PANELS:]]
    caption = [f"not shown here: {listed(gone, '; ')}" if gone else "", note]
    return picture.finish("Physical pages held while the trace runs", title, caption, handles)


def _told(key: tuple[str, str, str]) -> str:
    """Trace, compressor and frontend in words."""
    trace, codec, frontend = key
    how = "sizes given," if codec == GIVEN else short(codec)
    return f"{shown(trace)}, {how} in {short(frontend)}"


def _draw(axis: Axes, rows: pd.DataFrame, styles: dict[str, Look], names: dict[str, str]) -> None:
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    clock = "time_s" if "time_s" in rows and rows["time_s"].notna().all() else "event"
    there = {str(name): one for name, one in rows.groupby("allocator", sort=False)}
    for i, (name, one) in enumerate(there.items()):
        axis.plot(
            one[clock],
            one["pages"],
            **styles[name]._asdict(),
            label=names[name],
            linewidth=1.5,
            markersize=4,
            markevery=(APART * i / len(there), APART),
        )
    axis.set_xlabel("seconds" if clock == "time_s" else "events")
    axis.set_ylim(bottom=0)
    axis.xaxis.set_major_locator(MaxNLocator(5))
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_formatter(StrMethodFormatter("{x:,g}"))
