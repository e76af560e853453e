"""Figures that follow from sizes, of later years: P5, P6, P9 to P11, P14 and P16 to P20."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from published_tables.figure_row import Figure

Read = Callable[[str], pd.DataFrame]
GCC = "the recording gcc"


def figures(read: Read) -> Iterator[Figure]:
    """All of them."""
    for part in (histograms, dumps, pools, three_or_two, lzo_rle, same_filled, chains, zblock, slots, cut, blocks):
        yield from part(read)


def histograms(read: Read) -> Iterator[Figure]:
    """P5: of the histograms by arithmetic, at most one zspage a class counted in part."""
    arithmetic = {"/usr/lib": (1.89, 1.77, 1.84, 1.66), "Gutenberg": (1.40, 1.32, 1.37, 1.02)}
    table = read("histograms").set_index(["histogram", "allocator"])
    for name, values in arithmetic.items():
        for spec, value in zip(("ideal", "zsmalloc:era=6.1", "zsmalloc", "zbud"), values, strict=True):
            row = table.loc[(name, spec)]
            yield Figure(
                id="P5", quantity=f"density, {name}", item=spec, unit="x", published=value,
                simulated=row["density"] if pd.isna(row["many"]) else row["many"],
                ours="the histogram itself, sizes even within its bins", basis="data",
            )  # fmt: skip


def dumps(read: Read) -> Iterator[Figure]:
    total = read("kernel_build").iloc[-1]
    yield Figure(
        id="P6", quantity="pages of the classes above 1,168 bytes", item="chain 4", unit="pages",
        published=total["published_pages"], simulated=total["pages"],
        ours="the published objects of chain 8, stored with chain 4", basis="data",
    )  # fmt: skip
    many = overhead(read, "gcc", "many")
    less = 100 * (1 - (100 + many[8]) / (100 + many[4]))
    yield Figure(
        id="P6", quantity="pages saved by chain 8", item="", unit="%", published=100 * (1 - 156666 / 159955),
        simulated=less, ours=f"{GCC}, lzo-rle, very many pages", basis="other", neutral=0,
    )  # fmt: skip
    for chain, published in ((4, 4.3), (8, 2.2)):
        yield Figure(
            id="P6", quantity="overhead over the data", item=f"chain {chain}", unit="%", published=published,
            simulated=many[chain], ours=f"{GCC}, lzo-rle, very many pages", basis="other",
        )  # fmt: skip


def overhead(read: Read, workload: str, way: str) -> Any:
    """Percent by chain: lzo-rle, percent rule."""
    rows = read("chains").set_index(["workload", "codec", "rule", "way"]).sort_index()
    return rows.loc[(workload, "lzo-rle", "percent", way)].set_index("chain")["percent"]


def chains(read: Read) -> Iterator[Figure]:
    others = [overhead(read, trace, "many") for trace in ("pandas", "redis", "node")]
    ours = {"kernel compile": overhead(read, "gcc", "many"), "ChromeOS": sum(others) / len(others)}
    what = {"kernel compile": GCC, "ChromeOS": "the recordings pandas, redis and node, mean"}
    for workload, simulated in ours.items():
        for chain, published in overhead(read, workload, "published").items():
            yield Figure(
                id="P16", quantity=f"overhead over the data, {workload}", item=f"chain {chain}", unit="%",
                published=published, simulated=simulated[chain],
                ours=f"{what[workload]}, lzo-rle, very many pages", basis="other",
            )  # fmt: skip


def pools(read: Read) -> Iterator[Figure]:
    table = read("pools")
    published = table.iloc[0]
    for row in table[table["workload"] == "gcc"].to_dict("records"):
        for name in ("zbud", "z3fold"):
            yield Figure(
                id="P9", quantity=f"most RAM of {name} beyond zsmalloc's", item=row["codec"], unit="%",
                published=published[f"{name}_percent"], simulated=row[f"{name}_percent"], ours=GCC, basis="other",
                neutral=0,
            )  # fmt: skip


def three_or_two(read: Read) -> Iterator[Figure]:
    for row in read("z3fold").query("trace == 'gcc'").to_dict("records"):
        yield Figure(
            id="P10", quantity="pages stored per page of the pool", item=row["allocator"], unit="x",
            published=row["published"], simulated=row["density"], ours=f"{GCC}, lzo, fullest moment", basis="other",
        )  # fmt: skip


def lzo_rle(read: Read) -> Iterator[Figure]:
    speed = read("lzo_rle_speed").set_index("zeros")
    zeros = speed.loc["90 to 100 %", ["compress", "decompress"]]
    told: Any = {"id": "P11", "ours": "pages of the samples, codecs compiled from Python", "basis": "other"}
    for item, published, ours in (("least", 1.1, zeros.min()), ("most", 4.8, zeros.max())):
        quantity = "lzo's time relative to lzo-rle's, pages of zeros over 90 %"
        yield Figure(**told, quantity=quantity, item=item, unit="x", published=published, simulated=ours, neutral=1)
    slowest = 100 * (1 - speed["both"].min())
    quantity = "largest loss of speed, there and back"
    yield Figure(**told, quantity=quantity, item="", unit="%", published=4.6, simulated=slowest)


def same_filled(read: Read) -> Iterator[Figure]:
    for row in read("same_filled").to_dict("records"):
        for what, published in (("zero", 6.06), ("other", 2.50)):
            word = "of zeros" if what == "zero" else "of another word"
            yield Figure(
                id="P14", quantity=f"page-outs {word}", item=row["trace"], unit="%", published=published,
                simulated=row[f"{what}_percent"], ours=f"the recording {row['trace']}", basis="other",
            )  # fmt: skip


def zblock(read: Read) -> Iterator[Figure]:
    table = read("fragmentation/published")
    moments = read("fragmentation/moments")
    mean = moments[moments["trace"] == "gcc"].pivot_table("density", "moment", "allocator")
    for row in table.to_dict("records"):
        item = " ".join(str(part) for part in (row["mail"], row["build"]) if not pd.isna(part))
        version = "v2" if item == "v2" else "v4"
        yield Figure(
            id="P17", quantity="zblock's density relative to zsmalloc's", item=item, unit="x",
            published=row["zblock"] / row["zsmalloc"],
            simulated=(mean[f"zblock:version={version}"] / mean["zsmalloc"]).mean(),
            ours=f"{GCC}, zblock {version}, mean over the recording", basis="other", neutral=1,
        )  # fmt: skip


def slots(read: Read) -> Iterator[Figure]:
    table = read("slots").set_index(["workload", "pool"])["overall"]
    for item, ours in (("2 a page", "zbud"), ("3 a page", "z3fold")):
        yield Figure(
            id="P18", quantity="compression overall", item=item, unit="x", published=table["Fuchsia", item],
            simulated=table["all four", ours], ours=f"the four samples in {ours}", basis="other",
        )  # fmt: skip


def cut(read: Read) -> Iterator[Figure]:
    gains = read("cuts").set_index(["era", "chain"]).loc[("4.4", 4), "largest_that_gains"]
    yield Figure(
        id="P19", quantity="largest object that gains", item="", unit="bytes", published=2990, simulated=gains,
        ours="none: zsmalloc's classes of 4.4, chain 4", basis="data",
    )  # fmt: skip


def blocks(read: Read) -> Iterator[Figure]:
    table = read("units/blocks").query("codec == 'zstd'").set_index("unit")["bytes"]
    yield Figure(
        id="P20", quantity="bytes in blocks of 64 KiB, of those in blocks of 4 KiB", item="zstd", unit="x",
        published=199763892 / 246876055, simulated=table[16] / table[1], ours="the four samples", basis="other",
        neutral=1,
    )  # fmt: skip
