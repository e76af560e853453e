"""Published latencies side by side with simulated ones, written into this folder.

    python results/latency-published/make.py             # from the codecs' times in `sizes`
    python results/latency-published/make.py --measure   # times the codecs on this machine first, and keeps the times

Page-cluster: a benchmark of zram with fio on a dump of real memory, random reads of 2**n pages, mean ns
(u/VenditatioDelendaEst, quoted at https://notes.xeome.dev/notes/Zram). Mapping: cycles for one map and unmap of an
object that spans two pages, x86, S. Jennings in the thread on zsmalloc, July 2012. Faults: whole faults and page-outs
of 20,000 pages of a phone's zram, on a big and a little core, mean us (quetschn, October 2026, Xiaomi Mi 9T).

Two ways to read 2**n pages are simulated. As fio reads them: one request, into memory of its own. As a page fault
reads them: page by page into the swap cache, each with a new page. `sizes` has the codecs' sizes and times of the pages
of two samples, taken on the machine that `measured.json` describes; the figures follow from them on any machine. One
factor for the speed of that machine, by which lz4 at page-cluster 0 (for the phone's cores: its page-in) agrees with
the published mean, is used for everything else. `latency.csv` has every simulated run (`cswap plot` draws it).
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sim.calibration.machine import machine
from sim.plots.style import codec_colour, looks, short
from sim.plugins import COMPRESSORS, FRONTENDS, make_allocator
from sim.results.saving import MARK
from sim.sizing.sizing import size_pages
from sim.timing.costs import Costs, read_costs
from sim.timing.latency import frame
from sim.timing.setting import Setting
from sim.timing.simulate import Timed, simulate
from workloads import Events, Trace, open_sample
from workloads.traces.digests import digest_file
from workloads.traces.events import IN, OUT
from workloads.traces.sizes import Sizes, read_sizes, sizes_path, write_sizes

HERE = Path(__file__).parent  # of the times
SAMPLES = ("gcc", "pandas")
PUBLISHED = {  # mean ns at page-cluster 0, 1, 2, 3; compression ratio
    "lz4": ((1708, 2990, 5560, 10674), 2.63),
    "lzo-rle": ((2235, 4045, 7710, 14897), 2.74),
    "lzo": ((2428, 4436, 8438, 16426), 2.77),
    "zstd": ((5714, 10847, 21073, 41343), 3.37),
}
CORES = {  # us: page-in, page-out
    "A76": {"lz4": (5.3, 10.3), "lzo": (6.4, 11.2), "zstd": (16.9, 34.7)},
    "A55": {"lz4": (16.2, 31.2), "lzo": (17.4, 33.9), "zstd": (47.5, 133.0)},
}
REPEATS = 11
WAYS = ("one request", "swap readahead")
CYCLES = {"copy": 560, "pte": 760, "pte in a VM": 1500}


def main(folder: Path = HERE) -> None:
    """Write the figures, their picture and the simulated runs into a folder."""
    clusters, mappings, phone = page_cluster(), mapping(), faults()
    clusters.to_csv(folder / "page_cluster.csv", index=False, float_format="%.4g")
    mappings.to_csv(folder / "mapping.csv", index=False, float_format="%.4g")
    phone.to_csv(folder / "faults.csv", index=False, float_format="%.4g")
    frame(simulated).to_csv(folder / "latency.csv", index=False)
    draw(clusters, mappings).savefig(folder / "published.png", dpi=110)
    about = {
        "complete": True,
        "experiment": None,  # this script is
        "codec_times": json.loads((HERE / "measured.json").read_text()),
        "prices": {"digest": read_costs().digest()},
        "files": {"latency.csv": digest_file(folder / "latency.csv")},
    }
    (folder / MARK).write_text(json.dumps(about, indent=2) + "\n")
    print(*(table.to_string(index=False) for table in (clusters, mappings, phone)), sep="\n\n")


def measure() -> None:
    """Size and time all pages: of each page the median of REPEATS, without what the machine did besides."""
    pages = np.concatenate([open_sample(name).page_array(0, 1 << 20) for name in SAMPLES])
    trace = Trace.from_arrays("pages", Events.of([OUT], [0], [0]), pages)
    for codec in PUBLISHED:
        measured = [size_pages(trace, COMPRESSORS.make(codec), workers=1) for _ in range(REPEATS)]
        compress, decompress = (
            np.median([getattr(one, part) for one in measured], axis=0).astype(np.int64)
            for part in ("compress_ns", "decompress_ns")
        )
        write_sizes(place(codec), replace(measured[0], compress_ns=compress, decompress_ns=decompress))
    versions = {codec: COMPRESSORS.make(codec).version for codec in PUBLISHED}
    digests = {name: open_sample(name).digest for name in SAMPLES}
    here = machine()
    here["kernel"] = here["kernel"].partition("-")[0]
    about = {"machine": here, "repeats": REPEATS, "codecs": versions, "samples": digests}
    (HERE / "measured.json").write_text(json.dumps(about, indent=2, sort_keys=True) + "\n")


def page_cluster() -> pd.DataFrame:
    """Published and simulated mean ns of reads of 2**n pages, by codec and way."""
    rows = []
    for codec, (published, ratio) in PUBLISHED.items():
        for n, mean in enumerate(published):
            for way in WAYS:
                size = sizes(codec).size[~sizes(codec).same_filled].mean()
                rows.append(
                    {"codec": codec, "page_cluster": n, "way": way, "published_ns": mean}
                    | {"simulated_ns": read_mean(codec, n, way), "published_ratio": ratio, "ratio": 4096 / size}
                )
    frame = pd.DataFrame(rows)
    first = frame[(frame["codec"] == "lz4") & (frame["page_cluster"] == 0) & (frame["way"] == WAYS[0])].iloc[0]
    frame["scaled_ns"] = frame["simulated_ns"] * first["published_ns"] / first["simulated_ns"]
    frame["scaled_by_published"] = frame["scaled_ns"] / frame["published_ns"]
    return frame


def read_mean(codec: str, n: int, way: str) -> float:
    """Mean ns to read 2**n pages, each window once."""
    count = len(sizes(codec)) >> n << n
    windows = np.random.default_rng(n).permutation(count >> n) << n
    kind = np.repeat((OUT, IN), (count, len(windows)))
    slot = np.concatenate((np.arange(count), windows))
    page = np.concatenate((np.arange(count), np.full(len(windows), -1)))
    costs = read_costs()
    if way == WAYS[0]:  # the way to the device is gone once, for all pages of the request
        once = costs.ns("path.page_in")
        costs = costs.with_value("path.fault", once).with_value("path.page_in", 0).with_value("readahead.page", 0)
    else:
        costs = costs.with_value("path.fault", 0)
    setting = Setting(cpus=1, arrivals="saturate", page_cluster=n)
    timed = run(Events.of(kind, slot, page), codec, "zsmalloc", setting, costs, way)
    (row,) = (row for row in timed.rows if (row["operation"], row["part"]) == ("page-in", "total"))
    return 1e3 * float(row["mean_us"])


@cache
def sizes(codec: str) -> Sizes:
    """Sizes of all pages, and times."""
    return read_sizes(place(codec))


def place(codec: str) -> Path:
    return sizes_path(HERE, COMPRESSORS.make(codec).spec)


simulated: list[dict[str, object]] = []  # rows of the `latency` frame


def run(events: Events, codec: str, allocator: str, setting: Setting, costs: Costs, called: str) -> Timed:
    trace = Trace.from_arrays(" and ".join(SAMPLES), events, None, {sizes(codec).meta["codec"]: sizes(codec)})
    timed = simulate(trace, sizes(codec), FRONTENDS.make("zram"), make_allocator(allocator), setting, costs)
    key = {"trace": trace.name, "frontend": "zram", "compressor": codec, "allocator": allocator, "costs": called}
    simulated.extend(key | setting.columns() | row for row in timed.rows)
    return timed


def mapping() -> pd.DataFrame:
    """Published cycles of a map and unmap, and what they come to: a page-in of 2012's zsmalloc with lzo, mean."""
    count = len(sizes("lzo"))
    kind, rows = np.repeat((OUT, IN), count), np.arange(count)
    events = Events.of(kind, np.tile(rows, 2), np.concatenate((rows, np.full(count, -1))))
    costs = read_costs()
    found = []
    for name, cycles in {**CYCLES, "nothing spans": 0}.items():
        method = name.split()[0] if cycles else "copy"
        priced = costs.with_value(f"map.{method}", cycles)
        setting = Setting(cpus=1, arrivals="saturate", mapping=method)
        timed = run(events, "lzo", "zsmalloc:era=2012", setting, priced, name)
        part = {(row["operation"], row["part"]): row["mean_us"] for row in timed.rows}
        spanning = timed.counters["spanning"] / count / 2
        per_object = 1e3 * part["page-in", "map"] * costs.entries["cpu.ghz"].value / spanning
        found.append(
            {"mapping": name, "published_cycles": cycles, "simulated_cycles": per_object, "spanning": spanning}
            | {f"{operation}_us": part[operation, "total"] for operation in ("page-out", "page-in")}
        )
    frame = pd.DataFrame(found)
    for operation in ("page-out", "page-in"):
        free = frame[f"{operation}_us"].iloc[-1]
        frame[f"{operation}_longer_percent"] = 100 * (frame[f"{operation}_us"] / free - 1)
    return frame


def faults() -> pd.DataFrame:
    """Published and simulated mean us of whole page-ins and page-outs, by core and codec."""
    found = {}
    for codec in CORES["A76"]:
        count = len(sizes(codec))
        rows, kind = np.arange(count), np.repeat((OUT, IN), count)
        events = Events.of(kind, np.tile(rows, 2), np.concatenate((rows, np.full(count, -1))))
        timed = run(events, codec, "zsmalloc", Setting(cpus=1, arrivals="saturate"), read_costs(), "whole faults")
        mean = {(row["operation"], row["part"]): row["mean_us"] for row in timed.rows}
        found[codec] = [mean[operation, "total"] for operation in ("page-in", "page-out")]
    rows = []
    for core, codecs in CORES.items():
        factor = codecs["lz4"][0] / found["lz4"][0]
        for codec, published in codecs.items():
            for operation, us, ours in zip(("page-in", "page-out"), published, found[codec], strict=True):
                scaled = {"simulated_us": ours, "scaled_us": factor * ours, "scaled_by_published": factor * ours / us}
                rows.append({"core": core, "codec": codec, "operation": operation, "published_us": us} | scaled)
    return pd.DataFrame(rows)


def draw(clusters: pd.DataFrame, mappings: pd.DataFrame) -> plt.Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(11.5, 4.8), layout="constrained", width_ratios=(3, 2))
    figure.suptitle("Published latencies, and the simulated ones", fontsize=14, fontweight="bold")
    draw_clusters(left, clusters)
    draw_mappings(right, mappings)
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
    return figure


def draw_clusters(axis: plt.Axes, clusters: pd.DataFrame) -> None:
    for codec, (colour, _, mark) in looks(PUBLISHED, codec_colour).items():
        hollow = {"color": colour, "marker": mark, "ms": 4, "mfc": "white"}
        for way, style in zip(WAYS, ("-", ":"), strict=True):
            rows = clusters[(clusters["codec"] == codec) & (clusters["way"] == way)]
            axis.plot(2 ** rows["page_cluster"], rows["scaled_ns"] / 1e3, linestyle=style, **hollow, linewidth=1.4)
        axis.plot(2 ** rows["page_cluster"], rows["published_ns"] / 1e3, mark, color=colour, ms=7.5, label=short(codec))
    axis.plot([], [], "kh", ms=7.5, label="large, filled: published, fio on zram")
    axis.plot([], [], "k-", label="small, hollow: simulated, as fio reads: one request")
    axis.plot([], [], "k:", label="dotted: simulated, as a page fault reads ahead")
    axis.set(
        xscale="log",
        yscale="log",
        xlabel="pages read at once: 2 to the power of page-cluster (logarithmic)",
        ylabel="µs, mean (logarithmic)",
    )
    axis.set_xticks([1, 2, 4, 8], ["1", "2", "4", "8"])
    axis.set_yticks([2, 5, 10, 20, 40], ["2", "5", "10", "20", "40"])
    axis.minorticks_off()
    axis.set_title("reading pages back from zram", fontsize=10)
    axis.legend(frameon=False, fontsize=8)


def draw_mappings(axis: plt.Axes, mappings: pd.DataFrame) -> None:
    rows = mappings.iloc[:-1]
    y = range(len(rows))
    axis.barh(y, rows["published_cycles"], height=0.6, color="#E69F00")
    for i, (cycles, percent) in enumerate(zip(rows["published_cycles"], rows["page-in_longer_percent"], strict=True)):
        text = f"a page-in takes {percent:.1f} % longer"
        axis.annotate(text, (cycles, i), (5, 0), textcoords="offset points", va="center", fontsize=8.5)
    axis.set_xlim(0, 2.2 * rows["published_cycles"].max())
    axis.set_yticks(y, rows["mapping"])
    axis.invert_yaxis()
    axis.set_xlabel("cycles for one map and unmap, published (x86, 2012)")
    share = 100 * mappings["spanning"].iloc[0]
    axis.set_title(f"reaching an object that spans two pages\n({share:.0f} % do: zsmalloc of 2012, lzo)", fontsize=10)


if __name__ == "__main__":
    if "--measure" in sys.argv[1:]:
        measure()
    main()
