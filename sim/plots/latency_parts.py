"""What a page-out and a page-in are made of: the mean of each part, stacked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.plots.latency import OPERATIONS, first_setting, setting_text, some_timed
from sim.plots.style import PARTS, in_order, plainly, short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

VISIBLE = 0.004  # share of the longest bar from which a part is named

ALIKE = 0.05  # of the mean: by how much allocators may differ that share a bar, where there are many
MANY = 12  # bars

Bar = tuple[str, str, str]  # compressor, frontend, allocator


@plainly
def plot_latency_parts(latency: pd.DataFrame) -> Figure:
    """A row of panels a trace, a panel per operation, a bar per compressor and allocator; for the first setting.

    Where that were many bars, allocators that take as long as the first one share its bar.
    """
    import matplotlib.pyplot as plt
    from matplotlib.patches import Patch

    rows = first_setting(some_timed(latency))
    traces = in_order(rows["trace"])
    operations = [operation for operation in OPERATIONS if (rows["operation"] == operation).any()]
    groups = _groups(rows)
    bars = list(groups)
    frontends = len({bar[1] for bar in bars}) > 1
    labels = [_label(bar, alike) + (f" ({bar[1]})" if frontends else "") for bar, alike in groups.items()]
    figure, axes = plt.subplots(
        len(traces),
        len(operations),
        figsize=(4.2 + 4.2 * len(operations), 1.7 + len(traces) * (0.7 + 0.25 * len(bars))),
        squeeze=False,
        sharey=True,
        layout="constrained",
    )
    figure.suptitle("Where the time of a page goes", fontsize=14, fontweight="bold")
    drawn: set[str] = set()
    for i, trace in enumerate(traces):
        for j, operation in enumerate(operations):
            axis = axes[i][j]
            drawn |= _draw(axis, rows[(rows["trace"] == trace) & (rows["operation"] == operation)], bars)
            axis.set_yticks(range(len(bars)), labels, fontsize=8)
            axis.set_ylim(len(bars) - 0.4, -0.6)
            axis.set_title(f"{trace}: a {operation}", fontsize=10)
            if i == len(traces) - 1:
                axis.set_xlabel("us, mean")
    handles = [
        Patch(facecolor=colour, hatch=hatch, edgecolor="white", label=label)
        for part, (colour, hatch, label) in PARTS.items()
        if part in drawn
    ]
    figure.legend(handles=handles, loc="outside right center", frameon=False, fontsize=9)
    note = f"\nalike: every mean within {ALIKE:.0%}" if any(groups.values()) else ""
    figure.supxlabel(setting_text(rows) + note, fontsize=9)
    return figure


def _groups(rows: pd.DataFrame) -> dict[Bar, int]:
    """The bars, and how many other allocators each stands for."""
    totals = rows[rows["part"] == "total"]
    means = totals.pivot_table(
        index=["compressor", "frontend", "allocator"], columns=["trace", "operation"], values="mean_us", sort=False
    )
    of = dict(zip(means.index, means.to_numpy(), strict=True))
    groups: dict[Bar, int] = dict.fromkeys(of, 0)
    firsts: dict[tuple[str, str], Bar] = {}
    for bar in list(groups) if len(groups) > MANY else ():
        first = firsts.setdefault(bar[:2], bar)
        if bar != first and (abs(of[bar] - of[first]) <= ALIKE * of[first]).all():
            del groups[bar]
            groups[first] += 1
    return groups


def _label(bar: Bar, alike: int) -> str:
    others = f" and {alike} alike" if alike else ""
    return f"{short(bar[0])}, {short(bar[2])}{others}"


def _draw(axis: Axes, rows: pd.DataFrame, bars: list[Bar]) -> set[str]:
    """Draw the bars; the parts that are large enough to be told apart."""
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
            axis.annotate(f"{total:.1f}", (total, y), (4, 0), textcoords="offset points", va="center", fontsize=8)
    axis.set_xlim(0, widest * 1.12 or 1)
    axis.spines[["top", "right"]].set_visible(False)
    return drawn
