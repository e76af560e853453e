"""P6 and P16, longer chains of zsmalloc, and two tables of classes that were published.

- chains.csv: what zsmalloc takes beyond the compressed data, at chains of 4, 8 and 16 pages, by the percent rule (era
  2022) and by absolute waste (6.12). `filled`: each page of a recording stored once, as a file system on zram does;
  `many`: so many times over that zspages not full do not count; `fullest`: its events replayed to the fullest moment,
  with the holes that swapping leaves.
- kernel_build.csv: two tables of classes of one kernel build (dumps.csv): the objects of that with chain 8, stored with
  chain 4, beside the table with chain 4. Classes above 1,168 bytes, where both have all their rows.
- huge.csv: the last two classes before and after zram dropped max_zpage_size.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from allocators.compiled.batch import ALLOC, run_operations
from allocators.zspages.table import class_table
from allocators.zspages.zsmalloc import Zsmalloc
from sim import Experiment, run
from sim.experiment.inputs import open_input
from sim.frontends.zram import Zram
from sim.validate.prediction import Prediction
from workloads.traces.events import OUT, Events
from workloads.traces.sizes import Sizes

FOLDER = Path(__file__).parents[1]
PAGE = 4096
TRACES = ("gcc", "pandas", "redis", "node")
CHAINS = (4, 8, 16)
RULES = {"percent": "2022", "waste": "6.12"}
OVERHEAD = {  # percent over the data, lzo-rle, percent rule: Senozhatsky, October 2022
    "kernel compile": (4.31, 2.22, 1.90),
    "ChromeOS": (6.67, 5.31, 3.96),
}


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
    dumps = pd.read_csv(FOLDER / "dumps.csv")
    dumps = dumps[dumps["class_size"] > 1168]
    allocator = Zsmalloc(era="2022", chain=4)
    theirs = dumps[dumps["chain"] == 8]
    size = np.repeat(theirs["class_size"].to_numpy() - allocator.handle_bytes, theirs["objects"])
    run_operations(allocator, np.full(len(size), ALLOC, np.uint8), np.arange(len(size)), size)
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
