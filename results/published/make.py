"""Densities that others have published beside ours; writes the tables of this folder.

    python results/published/make.py

Their workloads cannot be had, so ours stand in: the shipped recordings and samples, with sizes by the codec they used.
What was published as a table of sizes or classes goes through our allocators as it is. Every figure comes from here.

- chains.csv: what zsmalloc takes beyond the compressed data, at chains of 4, 8 and 16 pages, by the percent rule (era
  2022) and by absolute waste (6.12). `filled`: each page of a recording stored once, as a file system on zram does;
  `many`: so many times over that zspages not full do not count; `fullest`: its events replayed to the fullest moment,
  with the holes that swapping leaves.
- kernel_build.csv: two tables of classes of one kernel build (dumps.csv): the objects of that with chain 8, stored with
  chain 4, beside the table with chain 4. Classes above 1,168 bytes, where both have all their rows.
- huge.csv: the last two classes before and after zram dropped max_zpage_size.
- slots.csv: pages with at most two or three compressed ones in each, beside zbud and z3fold.
- cuts.csv: by era and chain, the largest size for which an object takes less than a page, and what 2,990 bytes take.
- histograms.csv: density of two histograms of sizes, each size as likely as any other in its bin; `many` as above.
- pools.csv: most RAM ever in zswap's pools, in proportion to zsmalloc.
- merging.csv: what merging of size classes saves while files, that is runs of pages, are deleted.
"""

from __future__ import annotations

import json
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from allocators import Allocator, TooLarge
from allocators.zspages.table import class_table
from allocators.zspages.zsmalloc import Zsmalloc
from sim import Experiment, run
from sim.experiment.inputs import open_input
from sim.frontends.zram import Zram
from sim.plugins import COMPRESSORS, make_allocator
from sim.sizing.sizing import size_pages
from sim.validate.prediction import Prediction
from workloads import open_sample
from workloads.traces.events import FREE, OUT, Events
from workloads.traces.sizes import Sizes

HERE = Path(__file__).parent
PAGE = 4096
TRACES = ("gcc", "pandas", "redis", "node")
CHAINS = (4, 8, 16)
RULES = {"percent": "2022", "waste": "6.12"}
OVERHEAD = {  # percent over the data, lzo-rle, percent rule: Senozhatsky, October 2022
    "kernel compile": (4.31, 2.22, 1.90),
    "ChromeOS": (6.67, 5.31, 3.96),
}
FUCHSIA = {2: 6255, 3: 4276}  # RFC-0219: pages that hold 12,510 of 64 MiB, by the most in one; lz4, acceleration 11
CUT = int(0.7 * PAGE)
FAR_MEMORY = 2990  # bytes above which Google's far memory stores nothing (ASPLOS 2019)
BINS = {  # pages by compressed size, bins of 254 bytes from 32: Gupta, September 2012
    "/usr/lib": "7644 4226 11868 20356 43443 39374 32903 37631 42400 51921 56255 59346 36545 12872 6513 3482",
    "Gutenberg": "70 68 43 36 46 78 142 244 561 1272 3889 17826 3896 358 465 804",
}
POOLS = {"zsmalloc": 1137659904, "zbud": 1535741952, "z3fold": 1151303680}  # bytes: Ahmed, 2024, kernel build
MERGING = ((5.56, 5.34), (8.41, 6.80), (13.55, 9.47), (18.55, 11.51), (24.58, 13.96))  # percent: Kim, 2014


def main(folder: Path = HERE) -> None:
    """Write the tables into a folder."""
    tables = (chains, kernel_build, huge, slots, cuts, histograms, pools, merging)
    for table in tables:
        frame = table()
        frame.to_csv(folder / f"{table.__name__}.csv", index=False, float_format="%.5g")
        print(table.__name__, frame.to_string(index=False), sep="\n", end="\n\n")
    about = {
        "made": date.today().isoformat(),
        "versions": {"numpy": version("numpy"), "pandas": version("pandas")},
        "recordings": {name: open_input(name).digest for name in TRACES},
        "samples": {name: open_sample(name).digest for name in TRACES},
        "codecs": {name: COMPRESSORS.make(name).version for name in ("lz4", "lzo", "lzo-rle", "zstd")},
    }
    (folder / "provenance.json").write_text(json.dumps(about, indent=2) + "\n")


def chains() -> pd.DataFrame:
    """Published and simulated overhead over the data in percent, by workload, codec, rule, way and chain."""
    rows: list[dict[str, Any]] = [
        {
            "workload": name,
            "codec": "lzo-rle",
            "rule": "percent",
            "way": "published",
            "chain": chain,
            "percent": percent,
        }
        for name, published in OVERHEAD.items()
        for chain, percent in zip(CHAINS, published, strict=True)
    ]
    specs = {f"zsmalloc:era={era},chain={n}": (rule, n) for rule, era in RULES.items() for n in CHAINS}
    found = run(Experiment(TRACES, allocators=tuple(specs), compressors=("lz4", "lzo-rle"))).density
    for row in found.to_dict("records"):
        rule, chain = specs[f"zsmalloc:era={row['era']},chain={row['chain']}"]
        key = {"workload": row["trace"], "codec": row["compressor"], "rule": rule}
        fullest = 100 * (row["pages_peak"] * PAGE / row["bytes_peak"] - 1)
        once, many = filled(recorded(row["trace"], row["compressor"]), Zsmalloc(era=row["era"], chain=chain))
        for way, percent in (("filled", once), ("many", many), ("fullest", fullest)):
            rows.append(key | {"way": way, "chain": chain, "percent": percent})
    return pd.DataFrame(rows).sort_values("chain").sort_values(["workload", "codec", "rule", "way"], kind="stable")


def filled(sizes: Sizes, allocator: Zsmalloc) -> tuple[float, float]:
    """Percent over the data with each page stored once, and many times."""
    device = Prediction(len(sizes), sizes, allocator, Zram())
    everything = np.arange(len(sizes))
    device.apply(Events.of(np.full(len(sizes), OUT), everything, everything))
    rows = class_table(allocator)
    full = sum(row["obj_used"] / row["objs_per_zspage"] * row["pages_per_zspage"] for row in rows)
    return overhead(device), 100 * (full * PAGE / device.mm_stat().compr_data_size - 1)


def overhead(device: Prediction) -> float:
    """Percent over the data now: mem_used_total over compr_data_size."""
    stat = device.mm_stat()
    return 100 * (stat.mem_used_total / stat.compr_data_size - 1)


def recorded(trace: str, codec: str) -> Sizes:
    sizes = open_input(trace).sizes(codec)
    assert sizes is not None
    return sizes


def kernel_build() -> pd.DataFrame:
    """By class of chain 4: objects and pages published, and those that the other dump's objects come to."""
    dumps = pd.read_csv(HERE / "dumps.csv")
    dumps = dumps[dumps["class_size"] > 1168]
    allocator = Zsmalloc(era="2022", chain=4)
    for row in dumps[dumps["chain"] == 8].itertuples():
        for _ in range(row.objects):
            allocator.alloc(row.class_size - allocator.handle_bytes)
    ours = {row["class_size"]: row for row in allocator.class_usage(np.zeros(0, np.int64))}
    rows = []
    for row in dumps[dumps["chain"] == 4].itertuples():
        simulated = ours[row.class_size]
        pages = simulated["zspages"] * simulated["class_pages"]
        rows.append(
            {"class_size": row.class_size, "published_objects": row.objects, "objects": simulated["objects"]}
            | {"published_pages": row.pages, "pages": pages}
        )
    frame = pd.DataFrame(rows)
    total = frame.sum().to_dict() | {"class_size": "total"}
    return pd.concat([frame, pd.DataFrame([total])])


def huge() -> pd.DataFrame:
    """Pages of the classes of 3,264 and 4,096 bytes before and after, published (February 2018) and simulated."""
    counts = {3070: 380, 3073: 6800, 3257: 3820}  # 380 objects were in the smaller class before already
    size = np.repeat(list(counts), list(counts.values()))
    rows = []
    for era, published in (("4.14", 10924), ("6.18", 9564)):
        device = Prediction(len(size), Sizes.given(size), Zsmalloc(era="6.1"), Zram(era=era))
        device.apply(Events.of(np.full(len(size), OUT), np.arange(len(size)), np.arange(len(size))))
        rows.append({"zram": era, "published_pages": published, "pages": device.allocator.pages})
    return pd.DataFrame(rows)


def slots() -> pd.DataFrame:
    """Pages, those that compress to 70 % or less, pages that hold these, how many are in one, and the ratio of all."""
    rows = [slotted("Fuchsia", f"{most} a page", PAGE * 4, 12510, pages) for most, pages in FUCHSIA.items()]
    codec = COMPRESSORS.make("lz4:acceleration=11")
    measured = {name: size_pages(open_sample(name), codec, workers=1) for name in TRACES}
    size = {name: sizes.size[~sizes.same_filled] for name, sizes in measured.items()}
    for name, own in {**size, "all four": np.concatenate(list(size.values()))}.items():
        small = own[own <= CUT]
        for spec in ("zbud", "z3fold", "zsmalloc"):
            rows.append(slotted(name, spec, len(own), len(small), stored(make_allocator(spec), small)))
    return pd.DataFrame(rows)


def slotted(workload: str, pool: str, pages: int, small: int, held: int) -> dict[str, Any]:
    shares = {"in_a_page": small / held, "overall": pages / (pages - small + held)}
    counts = {"pages": pages, "stored": small, "stored_percent": 100 * small / pages, "pool_pages": held}
    return {"workload": workload, "pool": pool, **counts, **shares}


def stored(allocator: Allocator, size: Any) -> int:
    """Pages held for objects of these sizes; whole ones for those that it does not take."""
    whole = 0
    for wanted in size.tolist():
        try:
            allocator.alloc(wanted)
        except TooLarge:
            whole += 1
    return allocator.pages + whole


def cuts() -> pd.DataFrame:
    """By era and chain: the largest size that gains, and the class, its sizes and what it takes, of 2,990 bytes."""
    combinations = [(era, 4) for era in ("2012", "3.19", "4.4", "6.1")]
    combinations += [(era, chain) for era in ("2022", "6.3", "6.12") for chain in CHAINS]
    rows = []
    for era, chain in combinations:
        allocator = Zsmalloc(era=era, chain=chain)
        of = allocator.state.class_of
        shared = allocator.huge_size - 1
        takes = [100 * c.pages / c.objs for c in allocator.classes]
        alike = np.flatnonzero(of == of[FAR_MEMORY])
        rows.append(
            {"era": era, "chain": chain, "largest_that_gains": shared, "takes_percent": takes[of[shared]]}
            | {"bytes": FAR_MEMORY, "its_takes_percent": takes[of[FAR_MEMORY]], "alike_from": alike[0], "to": alike[-1]}
        )
    return pd.DataFrame(rows)


def histograms() -> pd.DataFrame:
    """Compressed pages per page, by histogram and allocator."""
    rows = []
    for name, counts in BINS.items():
        size = np.concatenate([32 + 254 * i + np.arange(n) * 254 // n for i, n in enumerate(map(int, counts.split()))])
        np.random.default_rng(0).shuffle(size)
        for spec in ("ideal", "zsmalloc:era=6.1", "zsmalloc", "zsmalloc:chain=16", "z3fold", "zbud"):
            allocator = make_allocator(spec)
            row = {"histogram": name, "allocator": spec, "density": len(size) / stored(allocator, size)}
            if isinstance(allocator, Zsmalloc):
                takes = np.array([c.pages / c.objs for c in allocator.classes])
                row["many"] = len(size) / takes[allocator.size_class_of(size)].sum()
            rows.append(row)
    return pd.DataFrame(rows)


def pools() -> pd.DataFrame:
    """Most RAM of a pool beyond zsmalloc's in percent, published for a kernel build and simulated."""
    found = run(Experiment(TRACES, allocators=tuple(POOLS), compressors=("lz4", "lzo-rle", "zstd"))).density
    rows = [{"workload": "kernel build", "codec": "not told"} | beyond(POOLS)]
    for (trace, codec), group in found.groupby(["trace", "compressor"], sort=False):
        rows.append({"workload": trace, "codec": codec} | beyond(group.set_index("allocator")["pages_max"]))
    return pd.DataFrame(rows)


def beyond(pool: Any) -> dict[str, float]:
    return {f"{name}_percent": 100 * (pool[name] / pool["zsmalloc"] - 1) for name in ("zbud", "z3fold")}


def merging() -> pd.DataFrame:
    """Percent over the data without and with merging: all pages of the recording gcc, then ever fewer runs of 64."""
    sizes = recorded("gcc", "lzo")
    kept = np.random.default_rng(0).permutation(-(-len(sizes) // 64))  # which runs stay longest
    step = kept[np.arange(len(sizes)) // 64] * (len(MERGING) + 1) // len(kept)
    devices = [Prediction(len(sizes), sizes, Zsmalloc(era=era), Zram(era="3.10")) for era in ("3.10", "3.19")]
    rows = []
    for i, (without, merged) in enumerate(MERGING):
        where = np.arange(len(sizes)) if not i else np.flatnonzero(step == i - 1)
        page = where if not i else np.full(len(where), -1)
        for device in devices:
            device.apply(Events.of(np.full(len(where), FREE if i else OUT), where, page))
        ours = dict(zip(("percent", "merged_percent"), map(overhead, devices), strict=True))
        rows.append({"step": i, "published_percent": without, "published_merged_percent": merged} | ours)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    main()
