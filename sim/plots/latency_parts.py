"""What a page-out and a page-in are made of: the mean of each part, stacked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.plots.latency import (
    OPERATIONS,
    Line,
    alike_text,
    first_setting,
    lines_of,
    not_drawn,
    setting_text,
    some_timed,
    titled,
    totals,
)
from sim.plots.panels import MOST_PANELS, PANEL, SMALL, Panels, label
from sim.plots.style import PARTS, US, in_order, named, plainly, short
from workloads.shown import shown

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from sim.plots.panels import Drawn

VISIBLE = 0.004  # share of the longest bar from which a part is named
DECIMALS = 1_000  # us from which figures have none
BAR = 0.26  # inches for a line of a label


@plainly
def plot_latency_parts(latency: pd.DataFrame, *, ax: Any = None, title: str | None = None, note: str = "") -> Drawn:
    """A row of panels per trace and setting, a panel per operation, a bar per compressor and allocator.

    Of several numbers of CPUs and loads the first is drawn. Where that were many bars, allocators that take as long as
    the first one share its bar. `ax` are the axes to draw on, as many as there are panels. Raises UserError without
    timed runs.
    """
    from matplotlib.patches import Patch

    everything = some_timed(latency)
    rows = first_setting(everything)
    traces = in_order(rows["trace"])[: MOST_PANELS // len(OPERATIONS)]
    rows = rows[rows["trace"].isin(traces)]
    operations = [operation for operation in OPERATIONS if (rows["operation"] == operation).any()]
    lines = lines_of(totals(rows), ["mean_us"])
    several = len({line[1] for line in lines}) > 1
    names = named(line[2] for line in lines)
    labels = {line: _label(line, len(others), several, names) for line, others in lines.items()}
    there = dict.fromkeys(rows[["trace", "compressor", "frontend", "allocator"]].itertuples(index=False, name=None))
    bars = {trace: [line for line in lines if (trace, *line) in there] for trace in traces}
    heights = [0.8 + BAR * sum(1 + 0.7 * labels[line].count("\n") for line in bars[trace]) for trace in traces]
    picture = Panels(len(traces), len(operations), 4.2, heights, ax, sharey="row")
    drawn: set[str] = set()
    lowest = dict(zip(rows["operation"], rows["trace"], strict=True))  # panel of each column
    for i, trace in enumerate(traces):
        for j, operation in enumerate(operations):
            axis = picture.grid[i, j]
            mine = rows[(rows["trace"] == trace) & (rows["operation"] == operation)]
            if mine.empty:
                axis.set_axis_off()
                continue
            drawn |= _draw(axis, mine, bars[trace])
            axis.set_yticks(range(len(bars[trace])), [labels[line] for line in bars[trace]], fontsize=SMALL)
            axis.set_ylim(len(bars[trace]) - 0.4, -0.6)
            axis.set_title(f"{shown(trace)}: a {operation}", fontsize=PANEL)
            if lowest[operation] == trace:
                axis.set_xlabel(f"{US}, mean")
    handles = [
        Patch(facecolor=colour, hatch=hatch, edgecolor="white", label=label(words))
        for part, (colour, hatch, words) in PARTS.items()
        if part in drawn
    ]
    told = f"{', '.join(map(short, in_order(rows['frontend'])))}, {setting_text(rows)}"
    caption = [told, alike_text(lines, "all means"), not_drawn(everything, rows), note]
    return picture.finish(titled("Where the time of a page goes", rows), title, caption, handles)


def _label(line: Line, others: int, several: bool, names: dict[str, str]) -> str:
    codec, frontend, allocator = line
    alike = f" and {others} alike" if others else ""
    return label(f"{short(codec)}, {names[allocator]}{alike}" + (f" ({short(frontend)})" if several else ""))


def _draw(axis: Axes, rows: pd.DataFrame, bars: list[Line]) -> set[str]:
    """Draw the bars; the parts that are large enough to be told apart."""
    from matplotlib.ticker import MaxNLocator

    means = {(r["compressor"], r["frontend"], r["allocator"], r["part"]): r["mean_us"] for r in rows.to_dict("records")}
    widest = max((mean for key, mean in means.items() if key[3] == "total"), default=0.0)
    drawn = set()
    for y, bar in enumerate(bars):
        left = 0.0
        for part, (colour, hatch, _) in PARTS.items():
            width = means.get((*bar, part), 0.0)
            if width:
                axis.barh(y, width, left=left, height=0.76, color=colour, hatch=hatch, edgecolor="white", linewidth=0)
            if width > VISIBLE * widest:
                drawn.add(part)
            left += width
        total = means.get((*bar, "total"))
        if total is not None:
            told = f"{total:.1f}" if total < DECIMALS else f"{total:,.0f}"
            axis.annotate(told, (total, y), (4, 0), textcoords="offset points", va="center", fontsize=SMALL)
    axis.set_xlim(0, widest * 1.16 or 1)
    axis.xaxis.set_major_locator(MaxNLocator(5, prune="upper"))
    axis.xaxis.set_major_formatter("{x:,g}")
    return drawn
