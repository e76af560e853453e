"""zram then and now: how much RAM does the same swap take?"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from spread import among, table
from traces import RECORDINGS

from sim.plots.style import codec_colour
from sim.results.result import Result

SWEEPS = ("zram",)
THEN = ("zram:era=2012", "lzo", "xvmalloc")
WAYS = {
    "2.6.37 to 3.3: xvmalloc, lzo": THEN,
    "3.4 to 3.5: zsmalloc, lzo": ("zram:era=2012", "lzo", "zsmalloc:era=2012"),
    "6.18: zsmalloc, lzo": ("zram", "lzo", "zsmalloc"),
    "6.18: zsmalloc, lzo-rle": ("zram", "lzo-rle", "zsmalloc"),
    "6.18: zsmalloc, lz4": ("zram", "lz4", "zsmalloc"),
    "6.18: zsmalloc, zstd": ("zram", "zstd", "zsmalloc"),
}
HATCHES = ("xx", "//", "", "..", "", "\\\\")
MIB = 256  # pages


def frames(results: dict[str, Result]) -> dict[str, pd.DataFrame]:
    """`zram`: a row a way and recording: density at the fullest moment, the most pages ever taken."""
    found = results["zram"].density
    found = found.assign(compressor=found["compressor"].str.partition(":")[0])
    columns = [
        "trace",
        "frontend",
        "compressor",
        "allocator",
        "density",
        "effective_density",
        "density_mean",
        "pages_max",
    ]
    rows = [
        found[(found[["frontend", "compressor", "allocator"]] == list(way)).all(axis=1)][columns]
        for way in WAYS.values()
    ]
    return {"zram": pd.concat(rows, ignore_index=True)}


def by_way(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Ways x recordings."""
    found = rows.pivot_table(column, ["frontend", "compressor", "allocator"], "trace")[[*RECORDINGS]]
    found = found.loc[[*WAYS.values()]]
    found.index = pd.Index([*WAYS], name="zram of")
    return found


def blocks(given: dict[str, pd.DataFrame]) -> dict[str, str]:
    """What the README says of it."""
    rows = given["zram"]
    density, ram = by_way(rows, "density"), by_way(rows, "pages_max") / MIB
    told = pd.DataFrame({f"{trace}: density": density[trace].map("{:.2f}".format) for trace in RECORDINGS})
    told["RAM, then = 1"] = (ram / ram.iloc[0]).apply(among, axis=1)
    for trace in RECORDINGS:
        told[f"{trace}: MiB"] = ram[trace].map("{:.1f}".format)
    saved = ram / ram.iloc[0]
    best = {name: among(saved.loc[f"6.18: zsmalloc, {name}"]) for name in ("lzo", "lzo-rle", "lz4", "zstd")}
    text = (
        f"For the same page-outs zram of 6.18 takes {best['lzo']} times the RAM that zram of 2.6.37 to 3.3 took if it"
        f" still uses LZO, {best['lzo-rle']} times with lzo-rle, its default, {best['lz4']} times with lz4, and"
        f" {best['zstd']} times with zstd: what saves RAM is the choice of the codec, not what became of the allocator."
    )
    return {"zram-table": table(told), "zram-answer": text}


def draw(given: dict[str, pd.DataFrame]) -> plt.Figure:
    """Most RAM by way and recording."""
    ram = by_way(given["zram"], "pages_max") / MIB
    figure, axis = plt.subplots(figsize=(11, 4.8), layout="constrained")
    width = 0.8 / len(WAYS)
    for i, (name, (_, codec, _)) in enumerate(WAYS.items()):
        at = np.arange(len(RECORDINGS)) + width * (i - (len(WAYS) - 1) / 2)
        axis.bar(
            at, ram.loc[name], width * 0.92, color=codec_colour(codec), hatch=HATCHES[i], edgecolor="white", label=name
        )
    axis.set_xticks(range(len(RECORDINGS)), RECORDINGS, fontsize=12)
    axis.set_ylabel("most RAM taken by the pool, MiB", fontsize=11)
    axis.grid(axis="y", alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=11)
    figure.suptitle("How much RAM the same swap takes, in zram then and now", fontsize=14, fontweight="bold")
    return figure
