"""The closed loop: how many MiB is compressed swap worth, by allocator, codec and frontend?"""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from spread import table
from traces import RECORDINGS

from sim.plots.curves import BELOW, curves
from sim.plots.curves import worth as worth_of
from sim.plots.style import codec_colour, short
from sim.results.result import Result

SWEEPS = ("worth-zram", "worth-zswap")
MIB = 1 << 20
WAY = ["frontend", "compressor", "allocator"]
CODECS = ("lzo", "lz4", "zstd")
ALLOCATORS = {
    "zram": ("zsmalloc", "zsmalloc:era=2012", "xvmalloc", "ideal"),
    "zswap": ("zsmalloc", "zbud", "z3fold", "zblock", "ideal"),
}
LACKING = "at most: what the machine lacks"
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
    there = rows[(rows["ram_mib"] == rows["trace"].map(sizes(rows))) & (rows["frontend"] != "device")]
    return there.pivot_table(column, WAY, "trace", sort=False).reindex(columns=[*RECORDINGS])


def of_ways(rows: pd.DataFrame, column: str) -> str:
    """A table of each frontend and allocator, with each codec, at one size a recording."""
    found, size = at_sizes(rows, column), sizes(rows)
    places = 3 if column == "time_lost_s" else 0
    told = {
        f"{frontend} {allocator}": [
            " / ".join(f"{found.loc[(frontend, codec, allocator), trace]:.{places}f}" for codec in CODECS)
            for trace in RECORDINGS
        ]
        for frontend, allocators in ALLOCATORS.items()
        for allocator in allocators
    }
    if column == "worth_time":
        told[LACKING] = [str(lacking(rows)[trace]) for trace in RECORDINGS]
    if column == "time_lost_s":
        alone = rows[(rows["frontend"] == "device") & (rows["ram_mib"] == rows["trace"].map(size))]
        seconds = alone.drop_duplicates("trace").set_index("trace")["time_lost_s"]
        told["NVMe device alone"] = [f"{seconds[trace]:.{places}f}" for trace in RECORDINGS]
    frame = pd.DataFrame.from_dict(told, "index", columns=[f"{trace}, {size[trace]} MiB" for trace in RECORDINGS])
    frame.index.name = f"with {', '.join(CODECS)}"
    return table(frame)


def answer(rows: pd.DataFrame) -> str:
    """The answer in one sentence, and what goes with it; differences are those of the table's figures."""
    mib = at_sizes(rows, "worth_time").round()
    told = {codec: mib.loc[("zram", codec, "zsmalloc")] for codec in CODECS}
    shares = {codec: f"{span(worth)} MiB ({span(100 * worth / lacking(rows))} %)" for codec, worth in told.items()}

    def costs(frontend: str, allocator: str) -> str:
        """MiB that another allocator is worth less than zsmalloc, over recordings and codecs."""
        of = mib.loc[frontend]
        return span((of.xs("zsmalloc", level="allocator") - of.xs(allocator, level="allocator")).stack())

    by_allocator = mib.stack().unstack("allocator")
    ideal = by_allocator["ideal"] - by_allocator["zsmalloc"]
    zswap = (mib.loc["zram"] - mib.loc["zswap"]).xs("zsmalloc", level="allocator").stack()
    ins = at_sizes(rows, "worth_page_ins").loc["zram"].xs("zsmalloc", level="allocator").stack()
    return (
        f"At the smallest machine that each recording tells of, zram with zsmalloc is worth {shares['lzo']} of what the"
        f" machine lacks with LZO, {shares['lz4']} with lz4 and {shares['zstd']} with zstd. In place of zsmalloc, that"
        f" of 2012 costs {costs('zram', 'zsmalloc:era=2012')} MiB of this and xvmalloc {costs('zram', 'xvmalloc')}; in"
        f" zswap zbud costs {costs('zswap', 'zbud')}, z3fold {costs('zswap', 'z3fold')} and zblock"
        f" {costs('zswap', 'zblock')}. The ideal is worth {span(ideal)} MiB more than zsmalloc, and zswap {span(zswap)}"
        f" less than zram. That is for equal time; for equal page-ins zram with zsmalloc costs {span(-ins)} MiB, for"
        f" the pool is RAM that the program lacks."
    )


def span(values: pd.Series[float]) -> str:
    """Least and most."""
    values = values.dropna()
    return f"{round(values.min())} to {round(values.max())}"


def draw(given: dict[str, pd.DataFrame]) -> plt.Figure:
    """Worth of each way at the sizes of the tables, a panel a recording and frontend."""
    rows = given["worth"]
    mib, size, most = at_sizes(rows, "worth_time"), sizes(rows), lacking(rows)
    figure, grid = plt.subplots(
        2, 4, figsize=(13, 6), layout="constrained", sharex="col", sharey="row", height_ratios=[4, 5]
    )
    for (frontend, allocators), axes in zip(ALLOCATORS.items(), grid, strict=True):
        for trace, axis in zip(RECORDINGS, axes, strict=True):
            axis.axvline(most[trace], color="black", linewidth=1.2, linestyle="--")
            axis.axvline(0, color="black", linewidth=0.8)
            for nth, (codec, marker) in enumerate(MARKERS.items()):
                height = [place + 0.25 * (nth - 1) for place in range(len(allocators))]
                worth = [mib.loc[(frontend, codec, allocator), trace] for allocator in allocators]
                axis.plot(worth, height, marker, color=codec_colour(codec), ms=7, clip_on=False)
            axis.set_yticks(range(len(allocators)), [short(name) for name in allocators], fontsize=11)
            axis.set_ylim(len(allocators) - 0.5, -0.5)
            axis.set_title(f"{trace} in {size[trace]} MiB, {frontend}", fontsize=11)
            axis.grid(axis="x", alpha=0.25)
            axis.spines[["top", "right"]].set_visible(False)
    for axis in grid[1]:
        axis.set_xlabel("worth, MiB of RAM", fontsize=11)
    handles = [plt.Line2D([], [], color=codec_colour(c), marker=m, ls="", ms=7, label=c) for c, m in MARKERS.items()]
    handles.append(plt.Line2D([], [], color="black", linestyle="--", label=LACKING))
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize=11)
    figure.suptitle(
        "How much more RAM a machine with only an NVMe swap device needs to lose as little time",
        fontsize=14,
        fontweight="bold",
    )
    return figure
