"""Several pages as one block: density, latency and read amplification against the unit, written into this folder.

    python results/units/make.py                    # on the samples; what there is of recordings stays
    python results/units/make.py gcc.cswap ...      # on recordings with contents (`cswap record`) as well

`blocks.csv`: the pages of the samples in the order of the recording, cut into blocks of 1 to 16 pages, each compressed;
beside the figures published for 1,000 MiB of Android's anonymous pages (B. Song and T. Zheng, "mTHP-friendly
compression in zsmalloc and zram based on multi-pages", March and November 2024). `zstd-4k` is zstd with the parameters
for a source of 4 KiB, which zram of 6.12 passes whatever the block: its window ends after a page.

`units.csv`: traces through `zram:unit=1` to 16. The samples have one slot in 15 to 48, so that their neighbours were
not neighbours on the device, and their pools have few zspages; the recordings are whole: the programs of the samples,
recorded again. Times are those of one CPU that does nothing else (`--arrivals saturate`), and hold for the machine in
`provenance.json`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import zstandard

from sim import Experiment, run
from sim.calibration.machine import machine
from sim.compressors.base import Call
from sim.compressors.zstd import Zstd
from sim.plots.style import RECORDINGS, codec_colour, in_order, looks, trace_colour
from sim.plugins import COMPRESSORS
from workloads import Trace, open_sample, open_trace
from workloads.samples import sample_names

HERE = Path(__file__).parent
UNITS = (1, 2, 4, 8, 16)
REPEATS = 7  # of each time the least counts
CODECS = ("lz4", "lzo-rle", "zstd")
# Pages of a block: bytes, seconds to compress; per cent of the data, ms to swap out and in (100 times 100 MiB).
MARCH_2024 = {1: (246_876_055, 50.259962), 16: (199_763_892, 18.330605)}
NOVEMBER_2024 = {1: (20.49, 68_711, 30_687), 4: (16.9, 49_908, 20_685)}
DENSITY = ("density", "density_mean", "bytes_peak", "objects_peak", "pages_peak", "pages_max")
COUNTERS = ("unit_writes", "unit_reads", "object_reads", "pages_decompressed", "splits", "split_pages")


class ZstdOfPages(Zstd):
    """zstd as zram of 6.12 calls it: with parameters for one page, also for more."""

    def calls(self, page_size: int) -> tuple[Call, Call]:
        """See `Compressor.calls`."""
        parameters = zstandard.ZstdCompressionParameters.from_level(
            self.level, source_size=4096, write_content_size=True, write_checksum=False, write_dict_id=False
        )
        compressor = zstandard.ZstdCompressor(compression_params=parameters)
        return compressor.compress, zstandard.ZstdDecompressor().decompress


def main(folder: Path, recordings: list[Path]) -> None:
    """Write the tables, their picture and where they are from."""
    before = pd.read_csv(HERE / "units.csv") if (HERE / "units.csv").exists() else pd.DataFrame({"trace": []})
    about = json.loads((HERE / "provenance.json").read_text()) if (HERE / "provenance.json").exists() else {}
    opened = [open_trace(path) for path in recordings]
    traces = [open_sample(name) for name in sample_names()]
    new = pd.concat([units(trace, f"{trace.name}-sample") for trace in traces] + [*map(of_recording, opened)])
    kept = before[~before["trace"].isin(new["trace"])]
    table = pd.concat([new, kept]).sort_values(["trace", "codec", "unit"], kind="stable")
    table.to_csv(folder / "units.csv", index=False, float_format="%.5g")
    pages = blocks(traces)
    pages.to_csv(folder / "blocks.csv", index=False, float_format="%.5g")
    here = machine()
    here["kernel"] = here["kernel"].partition("-")[0]
    digests = about.get("digests", {}) | {trace.path.stem: trace.digest for trace in opened if trace.path}
    digests |= {f"{trace.name}-sample": trace.digest for trace in traces}
    versions = {codec: COMPRESSORS.make(codec).version for codec in CODECS}
    told = {"machine": here, "codecs": versions, "digests": digests}
    (folder / "provenance.json").write_text(json.dumps(told, indent=2, sort_keys=True) + "\n")
    draw(pages, pd.read_csv(folder / "units.csv")).savefig(folder / "units.png", dpi=80)
    print(pages.to_string(index=False), table.to_string(index=False), sep="\n\n")


def blocks(traces: list[Trace]) -> pd.DataFrame:
    """Compressed bytes of all pages by codec and pages of a block, and what that takes, beside the published ones."""
    rows = []
    for name in (*CODECS, "zstd-4k"):
        codec = ZstdOfPages() if name == "zstd-4k" else COMPRESSORS.make(name)
        for n in UNITS:
            total = np.zeros(4)
            for trace in traces:
                pages = trace.page_array(0, trace.unique_pages // 16 * 16)
                measured = [codec.measure(pages.reshape(-1, n * trace.page_size)) for _ in range(REPEATS)]
                best = np.min(measured, axis=0)
                total += (pages.nbytes, *best.sum(axis=1))
            rows.append(
                dict(zip(("data", "bytes", "compress_s", "decompress_s"), total / (1, 1, 1e9, 1e9), strict=True))
            )
            rows[-1] |= {"codec": name, "unit": n}
    rows += [
        {"codec": "published, March 2024: zstd", "unit": n, "data": 1000 << 20, "bytes": size, "compress_s": seconds}
        for n, (size, seconds) in MARCH_2024.items()
    ]
    rows += [
        {"codec": "published, November 2024: zstd", "unit": n, "data": 1e4 * 2**20, "bytes": percent * 1e2 * 2**20}
        | {"compress_s": out / 1e3, "decompress_s": back / 1e3}
        for n, (percent, out, back) in NOVEMBER_2024.items()
    ]
    frame = pd.DataFrame(rows)[["codec", "unit", "data", "bytes", "compress_s", "decompress_s"]]
    first = frame.groupby("codec", sort=False)[["bytes", "compress_s", "decompress_s"]].transform("first")
    frame["bytes_of_data_percent"] = 100 * frame["bytes"] / frame["data"]
    for part in first:
        frame[f"{part}_percent"] = 100 * frame[part] / first[part]
    return frame.drop(columns=["data"])


def of_recording(trace: Trace) -> pd.DataFrame:
    assert trace.path is not None
    return units(trace, trace.path.stem)


def units(trace: Trace, name: str) -> pd.DataFrame:
    """One row a codec and unit."""
    experiment = partial(Experiment, traces=(trace,), frontends=tuple(f"zram:unit={n}" for n in UNITS))
    timed = run(
        experiment(allocators=("zsmalloc",), compressors=CODECS[::2], timing={"cpus": 1, "arrivals": "saturate"})
    )
    ideal = run(experiment(allocators=("ideal",), compressors=CODECS[::2])).density
    return pd.DataFrame(_rows(trace, name, timed, ideal.set_index(["compressor", "frontend"])["density"]))


def _rows(trace: Trace, name: str, timed: Any, ideal: Any) -> Iterator[dict[str, Any]]:
    keys = ["compressor", "frontend"]
    counters = timed.counters.pivot_table(index=keys, columns="counter", values="value")
    latency = timed.latency.set_index([*keys, "operation", "part"])
    for _, row in timed.density.iterrows():
        codec, frontend = row["compressor"], row["frontend"]
        n = int(frontend.rpartition("=")[2]) if "=" in frontend else 1
        count = dict.fromkeys(COUNTERS, 0) if n == 1 else counters.loc[codec, frontend][list(COUNTERS)].astype(int)
        total = {op: latency.loc[codec, frontend, op, "total"] for op in ("page-out", "page-in", "free")}
        work = {op: float(cell["mean_us"]) * float(cell["count"]) for op, cell in total.items()}
        yield (
            {"trace": name, "codec": codec.partition(":")[0], "unit": n}
            | {"in_units_percent": 100 * len(trace.units(n).at) / trace.counts["out"] if n > 1 else 100.0}
            | {key: row[key] for key in DENSITY}
            | {"ideal": ideal[codec, frontend]}
            | {key: int(count[key]) for key in COUNTERS}
            | {"read_amplification": count["pages_decompressed"] / count["object_reads"] if n > 1 else 1.0}
            | {f"{op.replace('-', '_')}_us": float(cell["mean_us"]) for op, cell in total.items()}
            | {"page_in_p99_us": float(total["page-in"]["p99_us"]), "free_p99_us": float(total["free"]["p99_us"])}
            | {"all_s": sum(work.values()) / 1e6}
        )


def draw(pages: pd.DataFrame, table: pd.DataFrame) -> plt.Figure:
    figure, axes = plt.subplots(2, 2, figsize=(11.5, 8.4), layout="constrained")
    figure.suptitle("Several pages as one block", fontsize=14, fontweight="bold")
    draw_blocks(axes[0, 0], pages)
    whole = table[(table["codec"] == "zstd") & ~table["trace"].str.contains("-")]
    styles = looks([*RECORDINGS], trace_colour)
    for trace, rows in whole.groupby("trace"):
        look = {"color": styles[trace].color, "marker": styles[trace].marker}
        hollow = look | {"linestyle": ":", "mfc": "white", "ms": 4}
        axes[0, 1].plot(rows["unit"], rows["density"], **look, label=trace)
        axes[0, 1].plot(rows["unit"], rows["ideal"], **hollow)
        axes[1, 0].plot(rows["unit"], rows["read_amplification"], **look, label=trace)
        per = rows["all_s"] / rows["all_s"].iloc[0]
        axes[1, 1].plot(rows["unit"], per, **look, label=f"{trace}: all operations")
        axes[1, 1].plot(rows["unit"], rows["page_in_us"] / rows["page_in_us"].iloc[0], **hollow)
    axes[0, 1].plot([], [], "k:", label="dotted, hollow: ideal")
    axes[1, 1].plot([], [], "k:", label="dotted, hollow: page-ins")
    axes[0, 1].set(title="density of recordings, zstd, in zsmalloc", ylabel="compressed pages per physical page")
    axes[1, 0].set(
        title="read amplification of recordings, with blocks split", ylabel="pages decompressed for a page-in"
    )
    axes[1, 1].set(title="CPU time of recordings, zstd", ylabel="CPU time, that of single pages = 1")
    axes[0, 1].set_ylim(bottom=0)
    axes[1, 0].set_ylim(bottom=0)
    axes[1, 1].set_ylim(bottom=0)
    for axis in axes.flat:
        axis.set_xscale("log", base=2)
        axis.set_xticks(UNITS, [f"{n}\n{4 * n} KiB" for n in UNITS])
        axis.set_xlabel("pages of a block")
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(frameon=False, fontsize=8)
    return figure


def draw_blocks(axis: plt.Axes, pages: pd.DataFrame) -> None:
    names = in_order(pages["codec"])
    simulated = looks([name for name in names if not name.startswith("published")], codec_colour)
    styles: dict[str, dict[str, Any]] = {name: look._asdict() for name, look in simulated.items()}
    others = (name for name in names if name not in styles)
    styles |= {
        name: {"color": "black", "ls": "--", "marker": mark, "mfc": "white"}
        for name, mark in zip(others, "sD", strict=True)
    }
    for codec, rows in pages.groupby("codec", sort=False):
        axis.plot(rows["unit"], rows["bytes_percent"], **styles[str(codec)], label=codec)
    axis.set(title="compressed bytes of the samples' pages", ylabel="% of those of single pages")


if __name__ == "__main__":
    main(HERE, [Path(name) for name in sys.argv[1:]])
