"""Dan's question: how do zsmalloc, xvmalloc and zbud compare in density, on random and on real data?"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from spread import among, interval, table
from traces import GENERATED, RECORDINGS

from sim.plots.names import family_of, geometric_mean
from sim.plots.style import looks, named
from sim.results.result import Result

SWEEPS = ("density", "churned")
MOMENTS = ("fullest", "mean", "churned", "compacted")
SAID = {"fullest": "fullest moment", "mean": "over time", "churned": "after churn", "compacted": "after compaction"}
CODECS = ("lzo", "lz4", "zstd")
DRAWN = ("ideal", "xvmalloc", "zsmalloc:era=2012", "zsmalloc", "zblock", "order1", "z3fold", "zbud")
OVER_TIME = ("ideal", "xvmalloc", "zsmalloc:era=2012", "zsmalloc", "order1", "zbud")
STEPS = 40


def frames(results: dict[str, Result]) -> dict[str, pd.DataFrame]:
    """`density`: a row a run, with its densities at four moments. `over_time`: some of them at forty moments."""
    whole, cut = results["density"].density, results["churned"]
    key = ["trace", "compressor", "allocator"]
    cut.density["trace"] = cut.density["trace"].str.removesuffix("-churned")
    before = cut.timeline.assign(trace=cut.timeline["trace"].str.removesuffix("-churned"))
    before = before[before["event"] < before.groupby("trace")["event"].transform("max")]
    last = before["trace"].map(before.groupby("trace")["event"].max())
    before = before[before["event"] == last].set_index(key)  # kept only where the compaction released pages
    found = whole.set_index(key)[["density", "density_mean"]].set_axis(["fullest", "mean"], axis=1)
    found["compacted"] = cut.density.set_index(key)["density_end"]
    found["churned"] = ratio(before).reindex(found.index).fillna(found["compacted"])
    found = found.reset_index()
    found["compressor"] = found["compressor"].str.partition(":")[0]
    split = found.pop("trace").str.extract(r"^(.*?)(?:-(\d))?$")
    found.insert(0, "trace", split[0])
    found.insert(1, "seed", split[1])
    return {"density": found[["trace", "seed", "compressor", "allocator", *MOMENTS]], "over_time": over_time(results)}


def ratio(rows: pd.DataFrame) -> pd.Series[float]:
    """Density, of rows of a timeline."""
    return (rows["objects"] + rows["refused"]) / (rows["pages"] + rows["refused"])


def over_time(results: dict[str, Result]) -> pd.DataFrame:
    """Densities of recordings with LZO, by share of the events."""
    rows = results["density"].timeline
    rows = rows[rows["trace"].isin(RECORDINGS) & (rows["compressor"] == "lzo") & rows["allocator"].isin(OVER_TIME)]
    found = []
    for (trace, allocator), one in rows.groupby(["trace", "allocator"], sort=False):
        last = one["event"].max()
        for step in range(1, STEPS + 1):
            at = one[one["event"] <= last * step / STEPS].iloc[-1]
            if at["pages"] >= 200:  # of next to nothing, a density says nothing
                found.append(
                    (trace, allocator, step / STEPS, at["objects"] + at["refused"], at["pages"] + at["refused"])
                )
    return pd.DataFrame(found, columns=["trace", "allocator", "share", "objects", "pages"])


def blocks(given: dict[str, pd.DataFrame]) -> dict[str, str]:
    """What the README says of it."""
    density = given["density"]
    return {
        "density-recordings": of_recordings(density),
        "density-moments": of_moments(density),
        "density-generated": of_generated(density, "fullest"),
        "density-churned": of_generated(density, "compacted"),
        "density-answer": answer(density),
    }


def ratio_to(density: pd.DataFrame, name: str, codec: str, moment: str = "fullest") -> pd.DataFrame:
    """Densities of the recordings over those of one allocator: allocators x traces."""
    rows = density[density["trace"].isin(RECORDINGS) & (density["compressor"] == codec)]
    found = rows.pivot_table(moment, "allocator", "trace", sort=False)[[*RECORDINGS]]
    return found / found.loc[name]


def merged(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of texts by allocator; variants of one that have the same texts become one row."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for name, texts in zip(frame.index, frame.to_numpy(), strict=True):
        rows.setdefault((family_of(name), *texts), []).append(name)
    told = ["`" + ", ".join([names[0], *(name.partition(":")[2] or "default" for name in names[1:])]) + "`"
            for names in rows.values()]  # fmt: skip
    return pd.DataFrame([texts[1:] for texts in rows], pd.Index(told, name="allocator"), frame.columns)


def of_recordings(density: pd.DataFrame) -> str:
    """Densities with LZO at the fullest moment; shares of ideal by codec."""
    rows = density[density["trace"].isin(RECORDINGS) & (density["compressor"] == "lzo")]
    found = rows.pivot_table("fullest", "allocator", "trace", sort=False)[[*RECORDINGS]].map("{:.2f}".format)
    for codec in CODECS:
        found[f"{codec}: share of ideal"] = ratio_to(density, "ideal", codec).apply(among, axis=1)
    return table(merged(found))


def of_moments(density: pd.DataFrame) -> str:
    """Shares of ideal with LZO at each moment."""
    found = {SAID[moment]: ratio_to(density, "ideal", "lzo", moment).apply(among, axis=1) for moment in MOMENTS}
    return table(merged(pd.DataFrame(found)))


def of_generated(density: pd.DataFrame, moment: str) -> str:
    """Densities of generated traces with LZO, and their intervals."""
    rows = density[density["trace"].isin(GENERATED) & density["compressor"].isin(("lzo", "given"))]
    found = rows.groupby(["allocator", "trace"], sort=False)[moment].apply(interval).unstack()[[*GENERATED]]
    return table(merged(found))


def answer(density: pd.DataFrame) -> str:
    """The answer in one sentence."""
    fullest = ratio_to(density, "ideal", "lzo")
    over = {
        name: among(fullest.loc["zsmalloc:era=2012"] / fullest.loc[name]) for name in ("xvmalloc", "zbud:era=zcache")
    }
    made = density[density["trace"].isin(GENERATED) & density["compressor"].isin(("lzo", "given"))]
    made = made.groupby(["allocator", "trace"])["fullest"].mean().unstack()
    apart = {name: among(made.loc["zsmalloc:era=2012"] / made.loc[name]) for name in over}
    moments = [fullest, *(ratio_to(density, "ideal", "lzo", moment) for moment in ("churned", "compacted"))]
    then, now = ([geometric_mean(of.loc[name]) for of in moments] for name in ("zsmalloc:era=2012", "zsmalloc"))
    return (
        f"On the four recordings with LZO, the zsmalloc of 2012 stores {over['xvmalloc']} times as many pages per"
        f" physical page as xvmalloc, and {over['zbud:era=zcache']} times as many as zcache's zbud; on the four"
        f" generated traces {apart['xvmalloc']} and {apart['zbud:era=zcache']} times. On the recordings it reaches"
        f" {then[0]:.2f} of the ideal at the fullest moment, and after churn {then[1]:.2f}; today's reaches"
        f" {now[0]:.2f}, {now[1]:.2f}, and {now[2]:.2f} after compaction."
    )


def draw(given: dict[str, pd.DataFrame]) -> plt.Figure:
    """Shares of ideal by trace and moment; over time."""
    density, look, label = given["density"], looks(DRAWN), named(DRAWN)
    figure, grid = plt.subplots(2, 4, figsize=(15, 8.4), layout="constrained", sharey="row")
    traces = (*RECORDINGS, *GENERATED)
    for axis, moment in zip(grid[0], MOMENTS, strict=True):
        rows = density[density["compressor"].isin(("lzo", "given"))]
        share = wide_mean(rows, moment)
        for k, name in enumerate(DRAWN[1:]):
            at, style = np.arange(len(traces)) + 0.12 * (k - 3), look[name]  # side by side
            axis.plot(at, share.loc[name, [*traces]], style.marker, color=style.color, ms=6.5)
        axis.axhline(1, color="black", linewidth=1)
        for between in np.arange(len(traces) - 1) + 0.5:
            axis.axvline(between, color="0.85" if between + 0.5 != len(RECORDINGS) else "0.4", linewidth=0.8)
        axis.set_xticks(range(len(traces)), traces, rotation=45, ha="right", fontsize=11)
        axis.set_title(SAID[moment], fontsize=12)
    grid[0, 0].set_ylabel("density / ideal density, LZO", fontsize=11)
    grid[0, 0].set_ylim(0.3, 1.03)
    time = given["over_time"].assign(density=lambda f: f["objects"] / f["pages"])
    for axis, trace in zip(grid[1], RECORDINGS, strict=True):
        for name in OVER_TIME:
            one, style = time[(time["trace"] == trace) & (time["allocator"] == name)], look[name]
            axis.plot(one["share"], one["density"], color=style.color, linestyle=style.linestyle, linewidth=1.8,
                      marker=style.marker, markevery=5, ms=5)  # fmt: skip
        axis.set(xlabel="share of the events replayed", xlim=(0, 1), ylim=(0, None))
        axis.set_title(f"{trace}: over time", fontsize=12)
    grid[1, 0].set_ylabel("compressed pages / physical page, LZO", fontsize=11)
    for axis in grid.flat:
        axis.grid(axis="y", alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    handles = [plt.Line2D([], [], **look[name]._asdict(), label=label[name], ms=6) for name in DRAWN]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize=11)
    figure.suptitle("Compressed pages per physical page", fontsize=14, fontweight="bold")
    return figure


def wide_mean(rows: pd.DataFrame, moment: str) -> pd.DataFrame:
    """Shares of ideal, the mean of the seeds: allocators x traces."""
    found = rows.groupby(["allocator", "trace"], sort=False)[moment].mean().unstack()
    return found / found.loc["ideal"]
