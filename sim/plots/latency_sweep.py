"""Latency against the load, a line per compressor; or against the number of CPUs, a line per allocator.

Where there is one compressor only, or one allocator, the lines are the other of the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sim.errors import UserError
from sim.plots.latency import OPERATIONS, first_setting, not_drawn, scaled, setting_text, some_timed, titled, totals
from sim.plots.panels import MOST_PANELS, PANEL, Panels, label
from sim.plots.style import US, codec_colour, colour, in_order, looks, named, plainly, short
from workloads.shown import shown

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from sim.plots.panels import Drawn
    from sim.plots.style import Look


class Sweep(NamedTuple):
    """How a parameter is said, and what the lines are; of the other of compressor and allocator the first is drawn."""

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
DECADES = 100  # times the least: a spread for a tick a decade
WIDE = 4  # the same for the values on the other axis


@plainly
def plot_latency_sweep(
    latency: pd.DataFrame, by: str, *, ax: Any = None, title: str | None = None, note: str = ""
) -> Drawn:
    """A row of panels per trace and setting, a panel per operation; lines the mean, and thin ones the 99th percentile.

    `by` is "load" or "cpus", of which there must be several values; of all else the first of each trace is drawn, and
    the caption names the others. `ax` are the axes to draw on, as many as there are panels. Raises UserError.
    """
    from matplotlib.lines import Line2D

    sweep, everything = SWEEPS[by], totals(some_timed(latency))
    rows = first_setting(everything, by)
    if rows[sweep.lines].nunique() == 1:
        sweep = sweep._replace(lines=sweep.other, other=sweep.lines)
    for column in ("frontend", sweep.other):
        rows = rows[rows[column] == rows.groupby("trace")[column].transform("first")]
    if rows[by].nunique() < 2:
        raise UserError(f"latency against {by} needs runs of several; give --{by} more than once")
    traces = in_order(rows["trace"])[: MOST_PANELS // len(OPERATIONS)]
    rows = rows[rows["trace"].isin(traces)]
    operations = [operation for operation in OPERATIONS if (rows["operation"] == operation).any()]
    others = in_order(rows[sweep.other])
    picture = Panels(len(traces), len(operations), 4.2, 3.2, ax)
    styles = looks(in_order(rows[sweep.lines]), colour if sweep.lines == "allocator" else codec_colour)
    names = named(styles)
    logs = rows[by].max() > WIDE * rows[by].min(), rows["p99_us"].max() > LARGE * rows["mean_us"].min()
    lowest = dict(zip(rows["operation"], rows["trace"], strict=True))  # panel of each column
    for i, trace in enumerate(traces):
        for j, operation in enumerate(operations):
            axis = picture.grid[i, j]
            mine = rows[(rows["trace"] == trace) & (rows["operation"] == operation)]
            if mine.empty:
                axis.set_axis_off()
                continue
            _draw(axis, mine, by, sweep.lines, styles, names, logs)
            of = f", {short(mine[sweep.other].iloc[0])}" if len(others) > 1 else ""
            axis.set_title(f"{shown(trace)}{of}: a {operation}", fontsize=PANEL)
            if lowest[operation] == trace:
                axis.set_xlabel(scaled(sweep.axis, *logs))
        picture.grid[i, 0].set_ylabel(scaled(US, *logs[::-1]))
    handles = [Line2D([], [], **look._asdict(), linewidth=2, label=label(names[name])) for name, look in styles.items()]
    caption = [
        f"thick: mean; thin and hollow: 99 of 100 are faster; {', '.join(map(short, others))} in "
        f"{', '.join(map(short, in_order(rows['frontend'])))}, {setting_text(rows, by)}",
        not_drawn(everything, rows),
        note,
    ]
    return picture.finish(titled(sweep.title, rows, by), title, caption, handles)


def _draw(
    axis: Axes,
    rows: pd.DataFrame,
    by: str,
    lines: str,
    styles: dict[str, Look],
    names: dict[str, str],
    logs: tuple[bool, bool],
) -> None:
    from matplotlib.ticker import LogLocator

    there = in_order(rows[lines])
    for nth, name in enumerate(there):
        thin = 1 - nth / len(there)  # where lines lie on each other, all are seen
        one = rows[rows[lines] == name].sort_values(by)
        look = styles[name]._asdict()
        axis.plot(
            one[by],
            one["mean_us"],
            **look,
            linewidth=1.5 + 1.5 * thin,
            markersize=4 + 3 * thin,
            label=label(names[name]),
        )
        axis.plot(one[by], one["p99_us"], **look, linewidth=0.8, markersize=3 + 2 * thin, markerfacecolor="white")
    values = sorted(rows[by].unique())
    if logs[0]:
        axis.set_xscale("log")
    axis.set_xticks(values, [f"{value:g}" for value in values])
    if logs[1]:
        axis.set_yscale("log")
        few = rows["p99_us"].max() < DECADES * rows["mean_us"].min()
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
        axis.yaxis.set_major_formatter("{x:,g}")
    else:
        axis.set_ylim(bottom=0)
    axis.minorticks_off()
    axis.grid(axis="y", alpha=0.25)
