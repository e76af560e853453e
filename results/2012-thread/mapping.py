"""The mapping question: how many objects span two pages, and what does it cost to reach them?"""

from __future__ import annotations

from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from spread import among, table
from traces import RECORDINGS

from sim.plots.style import PARTS, codec_colour, colour, named
from sim.results.result import Result

SWEEPS = ("mapping", "sensitivity", "density")
METHODS = ("copy", "pte", "map-vm-area", "pte-global", "vmap")
CODECS = ("lzo", "zstd")
ERAS = ("zsmalloc:era=2012", "zsmalloc")
KEY = ["trace", "compressor", "mapping", "operation"]


def frames(results: dict[str, Result]) -> dict[str, pd.DataFrame]:
    """`spanning`: objects by size class at the fullest moment. `operations`: how many stored or read span.
    `latency`: by method. `sensitivity`: what changes with an assumed cost at either end of its range.
    """
    classes = results["density"].classes
    classes = classes[classes["trace"].isin(RECORDINGS) & classes["allocator"].isin(ERAS)]
    classes = classes[classes["compressor"] == "lzo"]
    columns = ["trace", "allocator", "class_size", "class_pages", "class_objects", "objects"]
    timed = results["mapping"]
    counters = timed.timing[timed.timing["mapping"] == "copy"]
    done = timed.density.set_index(["trace", "compressor"])[["stored", "huge"]].sum(axis=1)
    spanning = counters[counters["counter"] == "spanning"].set_index(["trace", "compressor"])["value"].astype(int)
    ins = timed.latency[(timed.latency["mapping"] == "copy") & (timed.latency["part"] == "total")]
    ins = ins[ins["operation"] == "page-in"].set_index(["trace", "compressor"])["count"]
    operations = pd.DataFrame({"stored": done, "page_ins": ins, "spanning": spanning}).reset_index()
    varied = results["sensitivity"].sensitivity
    parts = timed.latency.pivot_table("mean_us", KEY, "part", sort=False)
    total = timed.latency[timed.latency["part"] == "total"].set_index(KEY)
    latency = total[["count", "mean_us", "p50_us", "p99_us"]].join(parts[["map", "queue", "lock"]])
    return {
        "spanning": codec_names(classes[columns]),
        "operations": codec_names(operations),
        "latency": codec_names(latency.reset_index()),
        "sensitivity": varied[["mapping", "price", "value", "operation", "mean_us", "mean_change", "p99_change"]],
    }


def codec_names(frame: pd.DataFrame) -> pd.DataFrame:
    """Without the level that is the default."""
    if "compressor" not in frame:
        return frame
    return frame.assign(compressor=frame["compressor"].str.partition(":")[0])


@cache
def spans(size: int, pages: int, objects: int, page_size: int = 4096) -> float:
    """The share of the objects of a full zspage that lie in two pages."""
    at = np.arange(objects) * size
    return float(np.mean(at // page_size != (at + size - 1) // page_size)) if pages > 1 else 0.0


def blocks(given: dict[str, pd.DataFrame]) -> dict[str, str]:
    """What the README says of it."""
    return {
        "mapping-spanning": of_sizes(given["spanning"]),
        "mapping-operations": of_operations(given["operations"]),
        "mapping-latency": of_methods(given["latency"]),
        "mapping-sensitivity": of_costs(given["sensitivity"]),
        "mapping-answer": answer(given),
    }


def shares(spanning: pd.DataFrame) -> pd.DataFrame:
    """`span`: the share of each class's objects that span."""
    sizes = spanning[["class_size", "class_pages", "class_objects"]].itertuples(index=False)
    return spanning.assign(span=[spans(*map(int, size)) for size in sizes])


def of_sizes(spanning: pd.DataFrame) -> str:
    """Shares that span by size, and of objects; zsmalloc of both eras."""
    rows = shares(spanning)
    rows["bytes"] = pd.cut(rows["class_size"], [0, 512, 1024, 1536, 2048, 2560, 3072, 4095, 4096]).map(
        lambda i: f"{i.left + 1} to {i.right}" if i.left + 1 < i.right else "4096"
    )
    rows["weighted"] = rows["span"] * rows["objects"]
    found = {}
    for era in ERAS:
        sums = rows[rows["allocator"] == era].groupby(["bytes", "trace"], observed=True)[["weighted", "objects"]].sum()
        by_size = sums.groupby("bytes", observed=True).sum()
        found[f"`{era}`: span"] = (100 * by_size["weighted"] / by_size["objects"]).map("{:.1f} %".format)
        found[f"`{era}`: of all objects"] = (100 * by_size["objects"] / by_size["objects"].sum()).map("{:.1f} %".format)
    frame = pd.DataFrame(found)
    total = shares(spanning).assign(w=lambda f: f["span"] * f["objects"]).groupby("allocator")[["w", "objects"]].sum()
    frame.index = pd.Index([str(name) for name in frame.index], name="bytes of the class")
    frame.loc["all"] = [
        text for era in ERAS for text in (f"{100 * total['w'][era] / total['objects'][era]:.1f} %", "100 %")
    ]
    return table(frame)


def of_operations(operations: pd.DataFrame) -> str:
    """Shares of the objects stored and read that span, counted one by one."""
    done = operations.assign(share=lambda f: 100 * f["spanning"] / (f["stored"] + f["page_ins"]))
    found = done.pivot_table("share", "compressor", "trace", sort=False)[[*RECORDINGS]].map("{:.1f} %".format)
    found.index.name = "codec"
    return table(found)


def of_methods(latency: pd.DataFrame) -> str:
    """Mean page-in and page-out without waiting, us: mean of four recordings; and the part that is mapping."""
    rows = latency[latency["mapping"].isin(METHODS) & latency["operation"].isin(("page-in", "page-out"))]
    rows = rows.assign(busy=rows["mean_us"] - rows["queue"] - rows["lock"])
    found = {}
    for codec in CODECS:
        for operation in ("page-in", "page-out"):
            one = rows[(rows["compressor"] == codec) & (rows["operation"] == operation)]
            means = one.groupby("mapping", sort=False)[["busy", "map"]].mean()
            found[f"{codec}: {operation}, µs"] = means["busy"].map("{:.2f}".format)
            found[f"{codec}: mapping"] = (100 * means["map"] / means["busy"]).map("{:.1f} %".format)
            found[f"{codec}: {operation}, mapping"] = found.pop(f"{codec}: mapping")
    frame = pd.DataFrame(found).loc[[*METHODS]]
    frame.index = pd.Index([f"`{name}`" for name in frame.index], name="method")
    return table(frame)


def of_costs(sensitivity: pd.DataFrame) -> str:
    """The assumed costs that matter most for the mean page-in of a method, and by how much."""
    rows = sensitivity[sensitivity["operation"] == "page-in"]
    ends = rows.groupby(["mapping", "price"])["mean_change"].agg(["min", "max"]).reset_index()
    ends["most"] = ends[["min", "max"]].abs().max(axis=1)
    ends = ends[ends["most"] >= 0.001].sort_values("most", ascending=False).groupby("mapping", sort=False).head(4)
    found = ends.sort_values(["mapping", "most"], ascending=[True, False])
    told = pd.DataFrame(
        {
            "assumed cost": [f"`{price}`" for price in found["price"]],
            "least": (100 * found["min"].clip(upper=0)).map("{:+.1f} %".format).to_numpy(),
            "most": (100 * found["max"].clip(lower=0)).map("{:+.1f} %".format).to_numpy(),
        },
        pd.Index([f"`{name}`" for name in found["mapping"]], name="method"),
    )
    return table(told)


def answer(given: dict[str, pd.DataFrame]) -> str:
    """The answer in one sentence."""
    done = given["operations"].assign(share=lambda f: 100 * f["spanning"] / (f["stored"] + f["page_ins"]))["share"]
    rows = given["latency"]
    rows = rows[(rows["operation"] == "page-in") & (rows["compressor"] == "lzo")].set_index(["mapping", "trace"])
    busy = rows["mean_us"] - rows["queue"] - rows["lock"]
    part = {name: 100 * rows["map"].loc[name] / busy.loc[name] for name in METHODS}
    times = among(busy.loc["vmap"] / busy.loc["copy"])
    varied = given["sensitivity"].query("mapping == 'vmap' and price == 'map.vmap' and operation == 'page-in'")
    worst = 100 * varied["mean_change"].max()
    return (
        f"{done.min():.0f} to {done.max():.0f} % of the objects stored or read span two pages; reaching them takes"
        f" {part['copy'].min():.1f} to {part['copy'].max():.1f} % of a page-in with LZO by copying,"
        f" {part['pte'].min():.1f} to {part['pte'].max():.1f} % through page-table entries, and with vmap a page-in"
        f" takes {times} times as long as with copying, and on gcc up to {worst:.0f} % longer still if vmap costs"
        " what is assumed at most: beside compression and the fault itself, only vmap is felt."
    )


def draw(given: dict[str, pd.DataFrame]) -> plt.Figure:
    """Spanning by size class; page-ins by method."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 4.8), layout="constrained")
    rows = shares(given["spanning"]).drop_duplicates(["allocator", "class_size"]).sort_values("class_size")
    for era, marker, fill in zip(ERAS, "so", ("none", colour("zsmalloc")), strict=True):
        one = rows[rows["allocator"] == era]
        look = {"marker": marker, "ms": 5, "color": colour("zsmalloc"), "mfc": fill, "linestyle": ""}
        left.plot(one["class_size"], 100 * one["span"], **look, label=named(ERAS)[era])
    left.set(xlabel="size class, bytes", ylabel="objects of the class that span two pages, %", ylim=(0, 100))
    left.legend(frameon=False, fontsize=11, loc="upper left")
    latency = given["latency"]
    latency = latency[(latency["operation"] == "page-in") & latency["mapping"].isin(METHODS)]
    for i, codec in enumerate(CODECS):
        means = latency[latency["compressor"] == codec].groupby("mapping")[["mean_us", "map", "queue", "lock"]].mean()
        means = means.loc[[*METHODS]]
        at = np.arange(len(METHODS)) + 0.4 * (i - 0.5)
        rest = means["mean_us"] - means["map"] - means["queue"] - means["lock"]
        right.bar(at, rest, 0.36, color=codec_colour(codec), label=f"{codec}: all else", hatch="" if i else "//",
                  edgecolor="white")  # fmt: skip
        right.bar(at, means["map"], 0.36, bottom=rest, color=PARTS["map"][0], edgecolor="black", linewidth=0.8,
                  label="mapping" if i else None)  # fmt: skip
    right.set_xticks(range(len(METHODS)), METHODS, fontsize=11)
    right.set_ylabel("mean page-in without waiting, µs")
    right.set_ylim(0, 1.35 * right.get_ylim()[1])  # room for the legend
    right.legend(frameon=False, fontsize=11, loc="upper left")
    for axis in (left, right):
        axis.grid(axis="y", alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle("How many objects span two pages, and what it costs to reach them", fontsize=14, fontweight="bold")
    return figure
