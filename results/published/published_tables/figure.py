"""published.png: each figure by what is simulated for it, in proportion to what was published."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.ticker import FuncFormatter

from published_tables.sources import SOURCES

LOOKS = {  # colours told apart by colour-blind readers; markers and fillings in grey
    "reproduced": ("o", "#0072B2", "full"),
    "same sign": ("D", "#E69F00", "none"),
    "differs": ("X", "#D55E00", "full"),
    "fitted": ("^", "#999999", "none"),
    "input": ("s", "#999999", "none"),
}
LEAST, MOST = 0.125, 8
APART = 0.12  # of a row, between two verdicts


def draw(frame: pd.DataFrame) -> plt.Figure:
    """A row a P, a dot a figure."""
    ids = list(dict.fromkeys(frame["id"]))
    figure, axis = plt.subplots(figsize=(9.6, 8.8), layout="constrained")
    axis.axvspan(0.9, 1.1, color="#0072B2", alpha=0.12, linewidth=0)
    axis.axvline(1, color="black", linewidth=0.8)
    for turn, (verdict, (marker, colour, fill)) in enumerate(LOOKS.items()):
        rows = frame[(frame["verdict"] == verdict) & frame["simulated"].notna()]
        times = (rows["simulated"] / rows["published"]).clip(LEAST, MOST)
        place = rows["id"].map(ids.index) + APART * (turn - 2)
        look = {"color": colour, "fillstyle": fill, "markersize": 7, "alpha": 0.85}
        axis.plot(times, place, marker, label=f"{verdict} ({len(rows)})", **look)
    axis.set_xscale("log")
    ticks = [LEAST, 0.25, 0.5, 0.8, 1, 1.25, 2, 4, MOST]
    axis.set_xticks(ticks)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: named(x)))
    axis.minorticks_off()
    axis.set_yticks(range(len(ids)), [f"{SOURCES[name].subject}  {name}" for name in ids])
    axis.set_ylim(len(ids) - 0.4, -0.6)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="y", color="#dddddd", linewidth=0.6)
    axis.set_axisbelow(True)
    axis.tick_params(labelsize=11)
    axis.set_xlabel("simulated, in proportion to published (shaded: within 10 %)", fontsize=11)
    axis.spines[["top", "right", "left"]].set_visible(False)
    figure.suptitle("Published figures, and the simulated ones", fontsize=14, fontweight="bold")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False, fontsize=10.5)
    return figure


def named(x: float) -> str:
    if x == LEAST:
        return "1/8 or less"
    return "8 or more" if x == MOST else f"{x:g}"
