"""Every published figure beside the simulated one, read from the tables: the frame published.csv."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from published_tables import later, timed
from published_tables.figure_row import Figure
from published_tables.sources import SOURCES

Read = Callable[[str], pd.DataFrame]
LAST = 4  # deletions that were published with the merging of classes


def figures(folder: Path) -> pd.DataFrame:
    """All figures, from P1 on; a row each."""
    read = partial(read_table, folder)
    found = [figure for part in (early, later.figures, timed.figures) for figure in part(read)]
    rows = [source(figure.id) | figure.row() for figure in found]
    frame = pd.DataFrame(rows).sort_values("id", key=lambda ids: ids.str[1:].astype(int), kind="stable")
    first = ["id", "who", "when", "workload", "quantity", "item", "unit", "published", "simulated"]
    return frame[[*first, "difference", "difference_in", "ours", "basis", "verdict"]].reset_index(drop=True)


def source(name: str) -> dict[str, str]:
    told = SOURCES[name]._asdict()
    return {key: told[key] for key in ("who", "when", "workload")}


def read_table(folder: Path, name: str) -> pd.DataFrame:
    """A table of this folder, or NAME/TABLE of another folder of results."""
    home = folder if "/" not in name else Path(__file__).parents[2]
    return pd.read_csv(home / f"{name}.csv", dtype={"era": str})


def early(read: Read) -> Iterator[Figure]:
    """P1 to P8, but for P5 and P6."""
    yield from kmalloc(read("kmalloc"))
    yield from xvmalloc(read("xvmalloc"))
    yield from text(read("text"))
    yield from small_pools(read("small_pools"))
    yield from compaction(read("compaction"))
    yield from merging(read("merging"))


def kmalloc(table: pd.DataFrame) -> Iterator[Figure]:
    ours = "139,937 page-outs to 16,384 slots, sizes by a bell through what was told of them"
    of = table.set_index("allocator")["to_ideal"]
    told: Any = {"id": "P1", "quantity": "most memory, relative to ideal", "unit": "x", "ours": ours}
    yield Figure(**told, item="kmalloc", published=36483 / 24947, simulated=of["kmalloc"], basis="described", neutral=1)
    yield Figure(**told, item="TLSF", published=25377 / 24947, simulated=None, basis="described")


def xvmalloc(table: pd.DataFrame) -> Iterator[Figure]:
    published = {"random": (8.4, 6.5, 8.9, 6.0, 9.5), "biased": (5.2, 6.8, 7.7, 6.4, 6.6)}
    told: Any = {"id": "P2", "unit": "%", "ours": "a million allocations and frees, five seeds", "basis": "described"}
    for kind, percent in table.groupby("sizes", sort=False)["percent"]:
        theirs = published[str(kind)]
        shared = told | {"quantity": "most memory beyond ideal"}
        yield Figure(**shared, item=f"{kind} sizes mean", published=sum(theirs) / 5, simulated=percent.mean())
        yield Figure(**shared, item=f"{kind} sizes most", published=max(theirs), simulated=percent.max())


def text(table: pd.DataFrame) -> Iterator[Figure]:
    for row in table.to_dict("records"):
        made_up = row["pages_are"] == "text"
        yield Figure(
            id="P3", quantity="pages of xvmalloc's pool per page stored", item=row["pages_are"], unit="%",
            published=99.95 if made_up else 1.93, simulated=row["pool_percent"], basis="described",
            ours=f"65,925 pages of {'made-up text' if made_up else 'zeros'}, {row['lzo_percent']:.2f} % by LZO",
        )  # fmt: skip


def small_pools(table: pd.DataFrame) -> Iterator[Figure]:
    ways = (
        ("each stored once", "filled", 0, "other", "each page of gcc stored once"),
        ("replayed", "replayed", 0, "other", "gcc replayed, no limit"),
        ("in a pool of 4 MiB", "replayed", 1024, "fitted", "gcc replayed in zswap with a pool of 1,024 pages"),
    )
    for item, way, pool, basis, ours in ways:
        for row in table[(table["way"] == way) & (table["pool"] == pool)].itertuples():
            yield Figure(
                id="P4", quantity=f"density by mean size, {item}", item=f"{row.mean}", unit="x",
                published=row.published, simulated=row.density, ours=f"{ours}, beta distribution of sizes", basis=basis,
            )  # fmt: skip


def compaction(table: pd.DataFrame) -> Iterator[Figure]:
    for row in table.to_dict("records"):
        yield Figure(
            id="P7", quantity=f"bytes of the pool {row['when']} compaction", item=row["pages"], unit="bytes",
            published=row["published_pool"], simulated=row["pool"], basis="fitted",
            ours=f"objects of {row['object_bytes']} bytes, freed at random",
        )  # fmt: skip


def merging(table: pd.DataFrame) -> Iterator[Figure]:
    told: Any = {"id": "P8", "unit": "%", "ours": "what the mail tells of the tree's directories"}
    full = table.iloc[0]  # the same in any order
    for item, column in (("without merging", "percent"), ("with merging", "merged_percent")):
        shared = told | {"published": full[f"published_{column}"], "simulated": full[column]}
        yield Figure(**shared, quantity="overhead, all stored", item=item, basis="described")
    for order, rows in table[table["step"].between(1, LAST)].groupby("order", sort=False):
        basis = "fitted" if str(order).startswith("apart") else "described"
        for quantity, column in (("overhead without merging", "percent"), ("saved by merging", "less")):
            neutral = 0 if column == "less" else None
            for row in rows.to_dict("records"):
                shared = told | {"published": row[f"published_{column}"], "simulated": row[column], "basis": basis}
                yield Figure(**shared, quantity=f"{quantity}, {order}", item=f"{row['step']} gone", neutral=neutral)
