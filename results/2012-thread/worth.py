"""The closed loop: how many MiB is compressed swap worth, by allocator, codec and frontend?"""

from __future__ import annotations

from itertools import product

import matplotlib.pyplot as plt
import pandas as pd
from spread import table
from traces import RECORDINGS

from sim.plots.curves import BELOW, curves
from sim.plots.curves import worth as worth_of
from sim.plots.style import codec_colour
from sim.results.result import Result

SWEEPS = ("worth-zram", "worth-zswap")
MIB = 1 << 20
WAY = ["frontend", "compressor", "allocator"]
CODECS = {"zram": ("lzo", "lz4", "zstd"), "zswap": ("lz4", "zstd")}
ALLOCATORS = {"zram": ("zsmalloc", "ideal"), "zswap": ("zsmalloc", "zbud")}
LINES = {"zsmalloc": "-", "zbud": "--", "ideal": ":"}
MARKERS = {"lzo": "o", "lz4": "s", "zstd": "^"}


def frames(results: dict[str, Result]) -> dict[str, pd.DataFrame]:
    """`worth`: a row a recording, way and size of RAM. `worth_time` and `worth_page_ins` are the MiB that nothing but
    an NVMe device needs more, to lose as little time and to have as few page-ins.
    """
    ram = results["worth-zram"].ram
    ram = pd.concat([ram, results["worth-zswap"].ram.query("frontend != 'device'")], ignore_index=True)
    found = []
    for way, rows in ram[ram["frontend"] != "device"].groupby(WAY, sort=False):
        both = pd.concat([rows, ram[ram["frontend"] == "device"]])
        for measure, name in (("time_lost_s", "worth_time"), ("page_ins", "worth_page_ins")):
            for one in curves(both, measure):
                mib = worth_of(one).stack(future_stack=True).rename("mib").reset_index()
                found.append(mib.assign(trace=one.trace, measure=name, **dict(zip(WAY, way, strict=True))))
    worth = pd.concat(found).pivot_table("mib", ["trace", *WAY, "ram"], "measure").reset_index()
    figures = ["page_outs", "page_ins", "pool_pages_mean", "below", "time_lost_s", "time_lost_share"]
    told = ram[["trace", *WAY, "ram", *figures]].merge(worth, on=["trace", *WAY, "ram"], how="left")
    told = told.assign(compressor=told["compressor"].str.partition(":")[0], ram=told["ram"] // MIB)
    return {"worth": told.rename(columns={"ram": "ram_mib"})}


def blocks(given: dict[str, pd.DataFrame]) -> dict[str, str]:
    """What the README says of it."""
    rows = given["worth"]
    return {
        "worth-time": of_ways(rows, "worth_time"),
        "worth-page-ins": of_ways(rows, "worth_page_ins"),
        "worth-lost": of_ways(rows, "time_lost_s"),
        "worth-answer": answer(rows),
    }


def sizes(rows: pd.DataFrame) -> pd.Series[int]:
    """Per recording the smallest machine on which the program has all that it had in the recording, for every way."""
    swaps = rows[rows["frontend"] != "device"]
    good = swaps.groupby(["trace", "ram_mib"])["below"].max() <= BELOW
    return good[good].reset_index().groupby("trace")["ram_mib"].min()


def lacking(rows: pd.DataFrame) -> pd.Series[int]:
    """Per recording the MiB that this machine has less than one that never swaps: no way of swapping is worth more."""
    enough = rows[(rows["frontend"] == "device") & (rows["page_ins"] == 0)].groupby("trace")["ram_mib"].min()
    return enough - sizes(rows)


def at_sizes(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Ways x recordings, each at its size."""
    size = sizes(rows)
    there = rows[(rows["ram_mib"] == rows["trace"].map(size)) & (rows["frontend"] != "device")]
    return there.pivot_table(column, WAY, "trace", sort=False).reindex(columns=[*RECORDINGS])


def of_ways(rows: pd.DataFrame, column: str) -> str:
    """A table of each way at one size a recording."""
    found, size = at_sizes(rows, column), sizes(rows)
    places = 3 if column == "time_lost_s" else 0
    frame = found.map(lambda value: "" if pd.isna(value) else f"{value:.{places}f}")
    if column == "worth_time":
        frame.loc[("at most: what the machine lacks", "", ""), :] = [
            str(lacking(rows)[trace]) for trace in frame.columns
        ]
    if column == "time_lost_s":
        alone = rows[(rows["frontend"] == "device") & (rows["ram_mib"] == rows["trace"].map(size))]
        alone = alone.drop_duplicates("trace").set_index("trace")["time_lost_s"].reindex([*RECORDINGS])
        frame.loc[("NVMe device alone", "", ""), :] = [f"{value:.{places}f}" for value in alone]
    frame.columns = pd.Index([f"{trace}, {size[trace]} MiB" for trace in frame.columns])
    frame.index = pd.Index([" ".join(filter(None, way)) for way in frame.index], name="way of swapping")
    return table(frame)


def answer(rows: pd.DataFrame) -> str:
    """The answer in one sentence."""
    mib = at_sizes(rows, "worth_time")
    told = {codec: mib.loc[("zram", codec, "zsmalloc")] for codec in CODECS["zram"]}
    zbud = (mib.loc[("zswap", "lz4", "zsmalloc")] - mib.loc[("zswap", "lz4", "zbud")]).dropna()
    loss = (mib.loc[("zram", "lz4", "ideal")] - mib.loc[("zram", "lz4", "zsmalloc")]).dropna()
    ins = at_sizes(rows, "worth_page_ins").loc["zram"].drop("ideal", level="allocator").stack()
    best = at_sizes(rows, "time_lost_s")
    share = 100 * told["lz4"] / lacking(rows)
    least = best.drop("ideal", level="allocator").idxmin().map(" ".join)
    return (
        f"At the smallest machine that each recording tells of, zram with zsmalloc is worth {span(told['lzo'])} MiB of"
        f" RAM with LZO, {span(told['lz4'])} with lz4 ({span(share)} % of what the machine lacks) and"
        f" {span(told['zstd'])} with zstd; zbud in place of zsmalloc"
        f" (zswap, lz4) costs {span(zbud)} MiB of that, and what zsmalloc loses to the ideal is {span(loss)} MiB."
        f" That is for equal time; for equal page-ins zram costs {span(-ins)} MiB, for the pool is RAM that the program"
        f" lacks. The least time is lost with {', '.join(f'{way} ({trace})' for trace, way in least.items())}."
    )


def span(values: pd.Series[float]) -> str:
    """Least and most."""
    values = values.dropna()
    return f"{values.min():.0f} to {values.max():.0f}"


def draw(given: dict[str, pd.DataFrame]) -> plt.Figure:
    """Worth against RAM, a panel a recording and frontend."""
    rows = given["worth"]
    figure, grid = plt.subplots(2, 4, figsize=(15, 7.4), layout="constrained", sharex="col", sharey="col")
    for (frontend, codecs), axes in zip(CODECS.items(), grid, strict=True):
        for trace, axis in zip(RECORDINGS, axes, strict=True):
            for codec, allocator in product(codecs, ALLOCATORS[frontend]):
                one = rows[(rows[["trace", *WAY]] == [trace, frontend, codec, allocator]).all(axis=1)]
                one = one.sort_values("ram_mib")
                look = {"color": codec_colour(codec), "marker": MARKERS[codec], "linestyle": LINES[allocator]}
                axis.plot(one["ram_mib"], one["worth_time"], **look, linewidth=1.8, ms=6)
            axis.set_title(f"{trace}, {frontend}", fontsize=12)
            axis.axhline(0, color="black", linewidth=0.8)
            axis.grid(axis="y", alpha=0.25)
            axis.spines[["top", "right"]].set_visible(False)
        axes[0].set_ylabel("worth, MiB", fontsize=11)
    for axis in grid[1]:
        axis.set_xlabel("RAM of program and pool, MiB", fontsize=11)
    handles = [plt.Line2D([], [], color=codec_colour(c), marker=m, label=c) for c, m in MARKERS.items()]
    handles += [plt.Line2D([], [], color="black", linestyle=line, label=name) for name, line in LINES.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=6, frameon=False, fontsize=11)
    figure.suptitle(
        "RAM that nothing but an NVMe device needs more to lose as little time", fontsize=14, fontweight="bold"
    )
    return figure
