"""How many page-outs and page-ins are done within how long: cumulative distributions, by compressor and allocator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.plots.latency import (
    OPERATIONS,
    Line,
    alike_text,
    first_setting,
    lines_of,
    not_drawn,
    scaled,
    setting_text,
    some_timed,
    titled,
    totals,
)
from sim.plots.panels import MOST_PANELS, PANEL, Panels, label
from sim.plots.style import DASHES, MARKERS, US, codec_colour, in_order, named, plainly, short
from sim.timing.latency import QUANTILES
from workloads.shown import shown

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    from matplotlib.axes import Axes

    from sim.plots.panels import Drawn

    Curve = tuple[npt.NDArray[Any], npt.NDArray[Any]]  # us, and the share done by then in per cent

POINTS = 400  # of a curve of single operations
LONG = 8  # times the median: an end of the axis for a logarithmic scale
ALIKE_TO = 99  # percentile to which allocators that share a line are compared
SHOWN = 99.9  # percentile where the axis ends
STEPS = {50: (1, 2, 5), 1_000: (1, 3), float("inf"): (1,)}  # ticks of a decade, on axes up to so many times their start


@plainly
def plot_latency_cdf(
    latency: pd.DataFrame,
    events: pd.DataFrame | None = None,
    *,
    ax: Any = None,
    title: str | None = None,
    note: str = "",
) -> Drawn:
    """A row of panels per trace and setting, a panel per operation; colours by compressor, dashes by allocator.

    Of several numbers of CPUs and loads the first is drawn. From the percentiles of the `latency` frame, or exactly
    from the per-event frame where that was kept. `ax` are the axes to draw on, as many as there are panels. Raises
    UserError without timed runs.
    """
    from matplotlib.lines import Line2D

    everything = totals(some_timed(latency))
    rows = first_setting(everything)
    traces = in_order(rows["trace"])[: MOST_PANELS // len(OPERATIONS)]
    rows = rows[rows["trace"].isin(traces)]
    operations = [operation for operation in OPERATIONS if (rows["operation"] == operation).any()]
    known = {name: 100 * share for name, share in QUANTILES.items() if name in rows}
    single = events is not None and len(events) > 0
    lines = lines_of(rows, [name for name, percent in known.items() if percent <= ALIKE_TO])
    curves = (
        _curves(first_setting(some_timed(events)), lines)
        if single and events is not None
        else _sketches(rows, lines, known)
    )
    names = list(dict.fromkeys(line[1:] for line in lines))
    codecs = list(dict.fromkeys(line[0] for line in lines))
    styles = {name: DASHES[i % len(DASHES)] for i, name in enumerate(names)}
    marks = {codec: MARKERS[i % len(MARKERS)] for i, codec in enumerate(codecs)}
    picture = Panels(len(traces), len(operations), 4.2, 3.2, ax, sharey=True)
    median, end = rows["p50_us"].median(), max(float(np.interp(SHOWN, *curve[::-1])) for curve in curves.values())
    log = end > LONG * median
    for i, trace in enumerate(traces):
        for j, operation in enumerate(operations):
            axis = picture.grid[i, j]
            mine = {line: curve for (at, kind, line), curve in curves.items() if (at, kind) == (trace, operation)}
            if not mine:
                axis.set_axis_off()
                continue
            _draw(axis, mine, styles, marks, log)
            axis.set_title(f"{shown(trace)}: {operation}s", fontsize=PANEL)
            axis.set_xlabel(scaled(US, log))
        picture.grid[i, 0].set_ylabel(scaled("% done within that time", False, log))
    handles = [
        Line2D([], [], color=codec_colour(codec), marker=marks[codec], linewidth=4, label=label(short(codec)))
        for codec in codecs
    ]
    several, labels = len({name[0] for name in names}) > 1, named(name[1] for name in names)
    for frontend, allocator in names:
        text = label(labels[allocator] + (f" ({short(frontend)})" if several else ""))
        handles.append(Line2D([], [], linestyle=styles[frontend, allocator], color="black", label=text))
    of = "every operation" if single else f"lines between {len(known)} percentiles of each run"
    caption = [
        f"{', '.join(map(short, in_order(rows['frontend'])))}, {setting_text(rows)}",
        f"from {of}; further left is faster",
        alike_text(lines, "all percentiles to the 99th"),
        not_drawn(everything, rows),
        note,
    ]
    return picture.finish(titled("How many pages are done within how long", rows), title, caption, handles)


def _sketches(rows: pd.DataFrame, lines: dict[Line, Any], known: dict[str, float]) -> dict[Any, Curve]:
    """Curves through the percentiles that the latency frame has."""
    curves: dict[Any, Curve] = {}
    for row in rows.to_dict("records"):
        line = (row["compressor"], row["frontend"], row["allocator"])
        if line in lines:
            us = np.array([row[name] for name in known])
            curves[row["trace"], row["operation"], line] = us, np.array(list(known.values()))
    return curves


def _curves(events: pd.DataFrame, lines: dict[Line, Any]) -> dict[Any, Curve]:
    """Curves of single operations."""
    share, curves = np.linspace(0, 100, POINTS), {}
    events = events[events["operation"].isin(OPERATIONS)]
    for key, one in events.groupby(["trace", "operation", "compressor", "frontend", "allocator"], sort=False):
        trace, operation, *line = key
        if tuple(line) in lines:
            curves[trace, operation, tuple(line)] = np.percentile(one["total_us"].to_numpy(), share), share
    return curves


def _draw(axis: Axes, curves: dict[Line, Curve], styles: dict[Any, Any], marks: dict[str, str], log: bool) -> None:
    from matplotlib.ticker import LogLocator, MaxNLocator

    order = list(styles)
    for line, (us, share) in curves.items():
        nth = order.index(line[1:])
        axis.plot(
            us,
            share,
            linestyle=styles[line[1:]],
            color=codec_colour(line[0]),
            linewidth=3 - 2 * nth / len(order),  # where lines lie on each other, all are seen
            alpha=0.75,
            marker=marks[line[0]],
            markersize=4,
            markevery=(0.05, 0.2),
        )
    end = max((float(np.interp(SHOWN, share, us)) for us, share in curves.values()), default=1.0)
    if log:
        axis.set_xscale("log")
        axis.minorticks_off()
        least, end = max(0.5, min((float(us.min()) for us, _ in curves.values()), default=0.5)), max(end, 1.0)
        steps = next(steps for times, steps in STEPS.items() if end <= times * least)
        axis.xaxis.set_major_locator(LogLocator(subs=steps))
        axis.set_xlim(least, end)
    else:
        axis.set_xlim(0, end or 1)
        axis.xaxis.set_major_locator(MaxNLocator(5))
    axis.xaxis.set_major_formatter("{x:,g}")
    axis.set_ylim(0, 101)
    axis.grid(alpha=0.25)
