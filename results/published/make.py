"""Figures that others have published beside ours; writes the tables of this folder, and the table of README.md.

    python results/published/make.py [TABLE...]

Without names it makes every table but `lzo_rle_speed`, which is measured. Each is TABLE.csv; which module makes it, and
what it is, is told at the head of `published_tables/`. Then all figures go to published.csv and published.png.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from published_tables import beginnings, chains, holes, kernel_build_2013, packing, pages
from published_tables.figure import draw
from published_tables.figures import figures
from published_tables.table import with_table

from sim.experiment.inputs import open_input
from sim.plugins import COMPRESSORS
from workloads import open_sample

HERE = Path(__file__).parent
TABLES: dict[str, Callable[[], pd.DataFrame]] = {
    table.__name__: table
    for table in (
        *(beginnings.kmalloc, beginnings.xvmalloc, beginnings.text, kernel_build_2013.small_pools),
        *(holes.compaction, holes.merging, chains.chains, chains.kernel_build, chains.huge),
        *(packing.slots, packing.cuts, packing.histograms, packing.pools, packing.z3fold),
        *(pages.lzo_rle, pages.same_filled),
    )
}
MEASURED = {table.__name__: table for table in (pages.lzo_rle_speed,)}


def main(names: list[str], folder: Path = HERE) -> None:
    """Write these tables into a folder, all that are not measured if none is named, and what is made of all of them."""
    known = TABLES | MEASURED
    if unknown := set(names) - set(known):
        sys.exit(f"make.py: there is no table {min(unknown)}; there are {', '.join(known)}")
    for name in names or TABLES:
        print(name, flush=True)
        known[name]().to_csv(folder / f"{name}.csv", index=False, float_format="%.5g")
    frame = figures(folder)
    frame.to_csv(folder / "published.csv", index=False, float_format="%.9g")
    frame = pd.read_csv(folder / "published.csv")
    draw(frame).savefig(folder / "published.png", dpi=110)
    readme = folder / "README.md"
    readme.write_text(with_table((HERE / "README.md").read_text(), frame))
    about = {
        "made": date.today().isoformat(),
        "versions": {"numpy": version("numpy"), "pandas": version("pandas")},
        "recordings": {name: open_input(name).digest for name in packing.TRACES},
        "samples": {name: open_sample(name).digest for name in packing.TRACES},
        "codecs": {name: COMPRESSORS.make(name).version for name in ("lz4", "lzo", "lzo-rle", "zstd")},
    }
    (folder / "provenance.json").write_text(json.dumps(about, indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
