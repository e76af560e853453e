"""Blocks of several pages when free memory is fragmented, and the density of zblock over time.

    python results/fragmentation/make.py

- refused.csv: each shipped recording with lz4 in zram, by allocator and by unusable free space index of order 1 (the
  index of order 3 beside it): page-outs refused for want of pages, density and pages held at the fullest moment. The
  memory is the same for all allocators of a recording: a tenth more than the neediest of them ever takes when it is not
  fragmented. So nothing is refused because memory is short, only because a block cannot be found.
- moments.csv: density with zstd in zram, zblock against zsmalloc, at nine moments of each recording and on the mean.
- published.csv: what the mails on zblock gave for the same two, a build of the kernel in zswap.
- fragmentation.png, provenance.json.

All is written into this folder. Figures follow from the recordings' events and sizes alone; `README.md` tells what they
say.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sim import Experiment, run
from sim.experiment.description import DEFAULT_TRACES
from sim.experiment.memory import Memory, Point
from sim.plots.style import looks, named, trace_colour

HERE = Path(__file__).parent
BLOCKS = ("zblock:version=v2", "zblock:version=v4", "order1")  # of several adjacent pages
PAGES = ("zblock", "zsmalloc", "zbud", "z3fold")  # single ones
SHARES = tuple(round(i / 10, 1) for i in range(11))  # unusable free space index of order 1
SPARE = 1.1  # of the memory that the neediest allocator takes
RIVALS = ("zblock", "zblock:version=v4", "zblock:version=v2", "zsmalloc", "zsmalloc:chain=4")
PUBLISHED = (  # mail, build, zblock's and zsmalloc's pages stored per page of the pool
    ("12 April 2025, the changelog", "", 4.65, 4.43),
    ("v2", "", 3.13, 2.71),
    ("another tester", "-j4", 2.55, 2.74),
    ("another tester", "-j8", 2.56, 2.79),
    ("another tester", "-j16", 2.20, 2.79),
)


def main(folder: Path = HERE) -> None:
    """Make the study, and print it."""
    refused = pd.concat([fragmented(trace) for trace in DEFAULT_TRACES], ignore_index=True)
    seen = pd.concat([moments(trace) for trace in DEFAULT_TRACES], ignore_index=True)
    published = pd.DataFrame(PUBLISHED, columns=["mail", "build", "zblock", "zsmalloc"])
    for name, frame in {"refused": refused, "moments": seen, "published": published}.items():
        frame.to_csv(folder / f"{name}.csv", index=False, float_format="%.6g")
    draw(refused, seen, published).savefig(folder / "fragmentation.png", dpi=100)
    about = {name: run_provenance(name) for name in DEFAULT_TRACES}
    (folder / "provenance.json").write_text(json.dumps(about, indent=2, sort_keys=True) + "\n")
    print(refused.pivot_table("refused_share", "unusable", "allocator").map("{:.1%}".format).to_string())
    print(seen.pivot_table("density", ["trace", "moment"], "allocator").to_string(float_format="%.2f"))


def fragmented(trace: str) -> pd.DataFrame:
    """Every allocator at every index."""
    allocators = (*BLOCKS, *PAGES)
    ample = run(Experiment((trace,), ("zram",), ("lz4",), allocators)).density
    pages = int(np.ceil(SPARE * ample["pages_max"].max()))
    memory = Memory(pages=(pages,), unusable=SHARES)
    found = run(Experiment((trace,), ("zram",), ("lz4",), allocators, memory)).density
    too_large = found["allocator"].map(ample.set_index("allocator")["refused"])
    index = {share: Point(pages, share, 0, 1).unusable_index() for share in SHARES}
    return pd.DataFrame(
        {
            "trace": trace,
            "allocator": found["allocator"],
            "memory_pages": pages,
            "unusable": found["unusable"],
            "unusable_order_3": [(index[share] or {"3": 0.0})["3"] for share in found["unusable"]],
            "page_outs": found["stored"] + found["refused"],
            "too_large": too_large,
            "refused": found["refused"] - too_large,
            "refused_share": (found["refused"] - too_large) / (found["stored"] + found["refused"]),
            "density": found["density"],
            "pages_peak": found["pages_peak"],
        }
    )


def moments(trace: str) -> pd.DataFrame:
    """Objects and pages of each rival after each tenth of the events, and on the mean."""
    result = run(Experiment((trace,), ("zram",), ("zstd",), RIVALS))
    rows = []
    for allocator, timeline in result.timeline.groupby("allocator", sort=False):
        last = timeline["event"].max()
        for tenth in range(1, 11):
            at = timeline[timeline["event"] <= last * tenth / 10].iloc[-1]
            if at["pages"]:
                one = {"trace": trace, "allocator": allocator, "moment": f"{tenth / 10:.1f}", "event": at["event"]}
                rows.append(
                    one | {"objects": at["objects"], "pages": at["pages"], "density": at["objects"] / at["pages"]}
                )
        mean = result.density.set_index("allocator").loc[allocator]
        rows.append({"trace": trace, "allocator": allocator, "moment": "mean", "density": mean["density_mean"]})
    return pd.DataFrame(rows).astype(dict.fromkeys(("event", "objects", "pages"), "Int64"))


def draw(refused: pd.DataFrame, seen: pd.DataFrame, published: pd.DataFrame) -> plt.Figure:
    """Refusals and density against the index, and zblock against zsmalloc over time beside the published ratios."""
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(15, 4.9), layout="constrained", width_ratios=(3, 3, 4))
    figure.suptitle("Blocks of several pages under fragmentation, and zblock over time", fontsize=14, fontweight="bold")
    look, names = looks(refused["allocator"].unique()), named(refused["allocator"])
    for axis, column in ((left, "refused_share"), (middle, "density")):
        for allocator, rows in refused.groupby("allocator", sort=False):
            mean = rows.groupby("unusable")[column].mean() * (100 if axis is left else 1)
            style = look[str(allocator)]
            axis.plot(
                mean.index, mean, style.marker, ls=style.linestyle, color=style.color, ms=4, label=names[str(allocator)]
            )
        axis.set_xlabel("unusable free space index of order 1 (of order 3)")
        ticks = refused.drop_duplicates("unusable").iloc[::2]
        axis.set_xticks(
            ticks["unusable"], [f"{a:.1f}\n({b:.2f})" for a, b in ticks[["unusable", "unusable_order_3"]].to_numpy()]
        )
    left.set(ylabel="page-outs refused, %", ylim=(-3, 103))
    left.set_title("page-outs refused for want of a block,\nlz4, mean of four recordings", fontsize=10)
    left.annotate("single pages: never refused", (0.42, 2), fontsize=8.5)
    middle.set(ylabel="compressed pages per physical page", ylim=(0, None))
    middle.set_title("density at the fullest moment\n(a refused page takes a whole one)", fontsize=10)
    middle.legend(frameon=False, fontsize=8)
    draw_moments(right, seen, published)
    for axis in (left, middle, right):
        axis.spines[["top", "right"]].set_visible(False)
    return figure


def draw_moments(axis: plt.Axes, seen: pd.DataFrame, published: pd.DataFrame) -> None:
    """zblock's density relative to zsmalloc's, after each tenth of the events."""
    density = seen[seen["moment"] != "mean"].pivot_table("density", ["trace", "moment"], "allocator", sort=False)
    styles = looks(DEFAULT_TRACES, trace_colour)
    for version, line in {"zblock": "-", "zblock:version=v4": "--", "zblock:version=v2": ":"}.items():
        for trace, one in (density[version] / density["zsmalloc"]).groupby("trace", sort=False):
            hue, mark = styles[str(trace)].color, styles[str(trace)].marker
            at = one.index.get_level_values("moment").astype(float)
            axis.plot(at, one, line, color=hue, marker=mark, ms=4, mfc=hue if line == "-" else "white", linewidth=1.5)
            if line == "-":
                axis.plot([], [], color=hue, marker=mark, ms=4, label=trace)
    for version, line in {"vmalloc": "-", "v4": "--", "v2": ":"}.items():
        axis.plot([], [], line, color="black", label=f"zblock {version}")
    for row in published.itertuples():
        axis.plot(1.1, row.zblock / row.zsmalloc, "kD", ms=5)
        told = ", ".join(filter(None, (row.mail.removesuffix(", the changelog"), row.build)))
        axis.annotate(
            told, (1.1, row.zblock / row.zsmalloc), (7, 0), textcoords="offset points", va="center", fontsize=8
        )
    axis.axhline(1, color="black", linewidth=0.7)
    axis.set(xlabel="share of the events replayed", ylabel="density, that of zsmalloc = 1", xlim=(0.05, 1.6))
    axis.set_xticks([0.2, 0.4, 0.6, 0.8, 1.1], ["0.2", "0.4", "0.6", "0.8", "published"])
    axis.set_title(
        "density of zblock relative to zsmalloc's,\nzstd, chain 8 (published: a build of the kernel)", fontsize=10
    )
    axis.legend(frameon=False, fontsize=8, ncols=2)


def run_provenance(trace: str) -> dict[str, object]:
    """What the figures of a recording rest on."""
    told = run(Experiment((trace,), ("zram",), ("lz4", "zstd"), ("ideal",))).provenance
    return {"digest": told["traces"][trace]["digest"], "codecs": told["codecs"], "sizes": told["sizes"][trace]}


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
