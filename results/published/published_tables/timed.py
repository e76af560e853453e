"""Figures that are times: P12, P13 and P15, from the results of `latency-published`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from published_tables.figure_row import Figure

Read = Callable[[str], pd.DataFrame]
SAMPLES = "the samples gcc and pandas"
BYTES = {"lz4": 1300, "lzo": 1216, "zstd": 898}  # a page of the phone


def figures(read: Read) -> Iterator[Figure]:
    """All of them."""
    yield from reads(read("latency-published/page_cluster"))
    yield from mapping(read("latency-published/mapping"))
    yield from phone(read)


def reads(table: pd.DataFrame) -> Iterator[Figure]:
    rows = table[table["way"] == "one request"].to_dict("records")
    for row in rows:
        fitted = (row["codec"], row["page_cluster"]) == ("lz4", 0)
        told: Any = {"id": "P12", "ours": SAMPLES}
        if row["page_cluster"] == 0:
            yield Figure(
                **told, quantity="ratio", item=row["codec"], unit="x", published=row["published_ratio"],
                simulated=row["ratio"], basis="other",
            )  # fmt: skip
        if row["page_cluster"] in (0, 3):
            yield Figure(
                **told, quantity=f"mean of a read, page-cluster {row['page_cluster']}", item=row["codec"], unit="ns",
                published=row["published_ns"], simulated=row["scaled_ns"], basis="fitted" if fitted else "other",
            )  # fmt: skip


def mapping(table: pd.DataFrame) -> Iterator[Figure]:
    for row in table[table["published_cycles"] > 0].to_dict("records"):
        yield Figure(
            id="P13", quantity="cycles to map and unmap an object of two pages", item=row["mapping"], unit="cycles",
            published=row["published_cycles"], simulated=row["simulated_cycles"], ours=f"{SAMPLES}, lzo", basis="input",
        )  # fmt: skip


def phone(read: Read) -> Iterator[Figure]:
    ratio = read("latency-published/page_cluster").groupby("codec")["ratio"].first()
    for codec, published in BYTES.items():
        yield Figure(
            id="P15", quantity="bytes of a page", item=codec, unit="bytes", published=published,
            simulated=4096 / ratio[codec], ours=SAMPLES, basis="other",
        )  # fmt: skip
    for row in read("latency-published/faults").to_dict("records"):
        fitted = (row["codec"], row["operation"]) == ("lz4", "page-in")
        yield Figure(
            id="P15", quantity=f"{row['operation']}, {row['core']}", item=row["codec"], unit="us",
            published=row["published_us"], simulated=row["scaled_us"], ours=SAMPLES,
            basis="fitted" if fitted else "other",
        )  # fmt: skip
