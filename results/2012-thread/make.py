"""The study that answers the thread of February 2012: all its runs, frames, figures, and the figures in its README.

    make study        (or: python results/2012-thread/make.py)

Traces and sweeps go to out/study; what is there is not repeated. The CSV files, PNG files and README.md of this folder
are then made of them; README.md has its tables between marks, the words around them are not touched. `make.py --tables`
makes the tables and pictures of the committed frames again.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import density
import mapping
import matplotlib as mpl
import order1
import pandas as pd
import sweeps
import traces
import worth
import zram

from sim.cli.remarks import remarks_said
from sim.interrupts import INTERRUPTED
from sim.results.result import Result

HERE = Path(__file__).parent
OUT = Path("out") / "study"
PARTS: tuple[ModuleType, ...] = (density, order1, mapping, zram, worth)
BLOCK = "<!-- {0} -->\n{1}\n<!-- end -->"


def main(folder: Path = HERE, out: Path = OUT) -> None:
    """All of it; with --tables, from the committed frames."""
    if "--tables" not in sys.argv:
        traces.make(out / "traces")
        results = sweeps.run(out)
        write_frames(results, folder)
        write_provenance(results, folder)
    given = read_frames(folder)
    mpl.use("agg")
    for part in PARTS:
        part.draw(given).savefig(folder / f"{part.__name__}.png", dpi=80)
    readme = folder / "README.md"
    readme.write_text(filled(readme.read_text(), blocks(given)))


def write_frames(results: dict[str, Result], folder: Path) -> None:
    """The frames of all parts, as CSV."""
    for part in PARTS:
        for name, frame in part.frames({name: results[name] for name in part.SWEEPS}).items():
            frame.to_csv(folder / f"{name}.csv", index=False, float_format="%.6g")


def write_provenance(results: dict[str, Result], folder: Path) -> None:
    """What the figures rest on: the digests of the traces and of their sizes, the codecs, costs and devices."""
    about: dict[str, Any] = {}
    for name, result in results.items():
        told = result.provenance
        about[name] = {
            "codecs": told["codecs"],
            "traces": {trace: one["digest"] for trace, one in told["traces"].items()},
            "sizes": {trace: {codec: one["sizes"] for codec, one in of.items()} for trace, of in told["sizes"].items()},
            "prices": hashlib.sha256(json.dumps(told["prices"], sort_keys=True).encode()).hexdigest(),
            "devices": sorted(told["devices"] or ()),
        }
    (folder / "provenance.json").write_text(json.dumps(about, indent=1, sort_keys=True) + "\n")


def read_frames(folder: Path = HERE) -> dict[str, pd.DataFrame]:
    """All of them by name, as committed."""
    return {path.stem: pd.read_csv(path) for path in sorted(folder.glob("*.csv"))}


def blocks(given: dict[str, pd.DataFrame]) -> dict[str, str]:
    """Every table and sentence of the README that has figures."""
    return {name: text for part in PARTS for name, text in part.blocks(given).items()}


def filled(readme: str, made: dict[str, str]) -> str:
    """The README with these blocks. KeyError for a mark of which there is no block."""
    mark = re.compile(r"<!-- ([a-z0-9-]+) -->\n.*?\n?<!-- end -->", re.DOTALL)
    return mark.sub(lambda found: BLOCK.format(found[1], made[found[1]]), readme)


if __name__ == "__main__":
    try:
        with remarks_said({}):
            main()
    except KeyboardInterrupt:
        print("interrupted; make study goes on from here", file=sys.stderr)
        sys.exit(INTERRUPTED)
