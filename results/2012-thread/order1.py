"""Dave's doubt: is it worth the trouble to avoid order-1 allocations?"""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from density import ratio_to
from spread import among, table
from sweeps import ORDER1
from traces import GENERATED, RECORDINGS

from sim.plots.style import looks, named
from sim.results.result import Result

SWEEPS = ORDER1
BLOCKS = ("order1", "zblock:version=v2", "zblock:version=v4")
ALLOCATORS = ("zsmalloc", *BLOCKS)
MEMORIES = ("tight", "roomy")  # as much as zsmalloc needs; a tenth more than the neediest allocator does
CODECS = ("lzo", "lz4", "zstd")
SEEN = {"zblock:version=v2": {"ms": 9}, "zblock:version=v4": {"ms": 4, "mec": "white", "mew": 0.7}}  # one on the other
MARGIN = 1.0  # per cent of the page-outs: more than what is too large for zblock, however much memory there is


def frames(results: dict[str, Result]) -> dict[str, pd.DataFrame]:
    """`order1`: a row a run in fragmented memory: page-outs, those refused for want of memory, objects at most held."""
    found = pd.concat([results[name].density for name in SWEEPS], ignore_index=True)
    least = found.groupby("trace")["zone_pages"].transform("min")
    return {
        "order1": pd.DataFrame(
            {
                "trace": found["trace"],
                "allocator": found["allocator"],
                "memory": (found["zone_pages"] > least).map({False: MEMORIES[0], True: MEMORIES[1]}),
                "memory_pages": found["zone_pages"],
                "unusable": found["unusable"],
                "seed": found["seed"],
                "page_outs": found["stored"] + found["huge"] + found["refused"],
                "refused": found["refused"],
                "objects": found["objects_peak"],
                "pages": found["pages_peak"],
            }
        )
    }


def blocks(given: dict[str, pd.DataFrame]) -> dict[str, str]:
    """What the README says of it."""
    rows = refusals(given["order1"])
    return {
        "order1-density": of_density(given["density"]),
        "order1-refused-tight": of_refusals(rows, MEMORIES[0]),
        "order1-refused-roomy": of_refusals(rows, MEMORIES[1]),
        "order1-pays": pays(rows),
        "order1-answer": answer(given["density"], rows),
    }


def refusals(runs: pd.DataFrame) -> pd.DataFrame:
    """`share`: of the page-outs, what was refused, in per cent."""
    return runs.assign(share=100 * runs["refused"] / runs["page_outs"])


def of_density(density: pd.DataFrame) -> str:
    """Densities relative to zsmalloc's, where every block is found."""
    names = (*BLOCKS, "zblock")
    found = {codec: ratio_to(density, "zsmalloc", codec).loc[[*names]].apply(among, axis=1) for codec in CODECS}
    frame = pd.DataFrame(found)
    frame.index = pd.Index([f"`{name}`" for name in frame.index], name="density, zsmalloc's = 1")
    return table(frame)


def of_refusals(rows: pd.DataFrame, memory: str) -> str:
    """Refused page-outs in per cent: the mean of four recordings."""
    means = rows[rows["memory"] == memory].groupby(["unusable", "allocator"])["share"].mean()
    found = means.map("{:.2f}".format).unstack()[[*ALLOCATORS]]
    found.columns = pd.Index([f"`{name}`" for name in found.columns])
    found.index = pd.Index([f"{share:g}" for share in found.index], name="unusable index of order 1")
    return table(found)


def least_index(rows: pd.DataFrame) -> pd.DataFrame:
    """The smallest index at which zsmalloc stores more of the page-outs than each, by `MARGIN` with every seed."""
    share = rows.pivot_table("share", ["memory", "trace", "unusable", "seed"], "allocator")
    more = share[[*BLOCKS]].sub(share["zsmalloc"], axis=0).groupby(["memory", "trace", "unusable"]).min() >= MARGIN
    found = more.reset_index().melt(["memory", "trace", "unusable"], var_name="allocator", value_name="more")
    found = found[found["more"]].groupby(["memory", "allocator", "trace"])["unusable"].min()
    return found.unstack()[[*RECORDINGS]].sort_index(ascending=[False, True])


def pays(rows: pd.DataFrame) -> str:
    """From which index zsmalloc stores more."""
    found = least_index(rows)
    texts = found.map(lambda index: "nowhere" if pd.isna(index) else f"{index:g}").reset_index()
    texts.index = pd.Index([f"`{name}`" for name in texts.pop("allocator")], name="zsmalloc stores more than")
    return table(texts.rename(columns={"memory": "memory"}))


def answer(density: pd.DataFrame, rows: pd.DataFrame) -> str:
    """The answer in one sentence."""
    made = density[density["trace"].isin(GENERATED) & density["compressor"].isin(("lzo", "given"))]
    made = made.groupby(["allocator", "trace"])["fullest"].mean().unstack()
    apart = (made.loc["order1"] / made.loc["zsmalloc"]).sort_values()
    dense = {codec: among(ratio_to(density, "zsmalloc", codec).loc["order1"]) for codec in ("lzo", "zstd")}
    half = rows[(rows["unusable"] == 0.5) & (rows["allocator"] == "order1")]
    refused = half.groupby(["memory", "trace"])["share"].mean().groupby("memory").agg(["min", "max"])
    tight, roomy = (refused.loc[memory] for memory in MEMORIES)
    return (
        f"Where pairs of pages can always be found, `order1` has {dense['lzo']} times the density of zsmalloc on the"
        f" recordings with LZO, {dense['zstd']} times with zstd, and {apart.iloc[0]:.2f} ({apart.index[0]}) to"
        f" {apart.iloc[-1]:.2f} ({apart.index[-1]}) times on generated traces; at an unusable free space index of 0.5"
        f" it refuses {tight['min']:.0f} to {tight['max']:.0f} % of the page-outs in memory just large enough for"
        f" zsmalloc, {roomy['min']:.0f} to {roomy['max']:.0f} % in roomy memory, and zsmalloc none: the trouble pays"
        " in fragmented memory, and for pages that compress to over half their size."
    )


def draw(given: dict[str, pd.DataFrame]) -> plt.Figure:
    """Refused page-outs against the index, a panel a memory and recording."""
    rows, look, label = refusals(given["order1"]), looks(ALLOCATORS), named(ALLOCATORS)
    figure, grid = plt.subplots(2, 4, figsize=(14, 7), layout="constrained", sharex=True, sharey=True)
    for memory, axes in zip(MEMORIES, grid, strict=True):
        for trace, axis in zip(RECORDINGS, axes, strict=True):
            for name in ALLOCATORS:
                one = rows[(rows["memory"] == memory) & (rows["trace"] == trace) & (rows["allocator"] == name)]
                means, style = one.groupby("unusable")["share"].mean(), look[name]
                axis.plot(means, **style._asdict(), **SEEN.get(name, {"ms": 6}), linewidth=1.8)
            axis.set_title(f"{trace}, {memory} memory", fontsize=11)
            axis.grid(axis="y", alpha=0.25)
            axis.spines[["top", "right"]].set_visible(False)
        axes[0].set_ylabel("page-outs refused, %", fontsize=11)
    for axis in grid[1]:
        axis.set_xlabel("unusable free space index of order 1", fontsize=11)
    handles = [
        plt.Line2D([], [], **look[name]._asdict(), label=label[name], **SEEN.get(name, {"ms": 6}))
        for name in ALLOCATORS
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize=11)
    figure.suptitle(
        "How many page-outs are refused for want of blocks of several pages (lz4)", fontsize=14, fontweight="bold"
    )
    return figure
