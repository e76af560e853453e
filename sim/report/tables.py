"""The tables of a report, from the frames of a result."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sim.plots.curves import Curves, curves, other, worth
from sim.plots.names import distinguished
from sim.plots.style import US, in_order
from sim.ram.meter import BASELINE
from sim.report.table import Cell, Table, figure, row
from sim.results.density import SMALL, small_pools
from sim.results.summary import CAPTION, IDEAL
from sim.timing.latency import CODEC, TOTAL, run_columns, setting_columns
from sim.units import mib_text

if TYPE_CHECKING:
    import pandas as pd

    from sim.results.result import Result

OPERATIONS = ("page-out", "page-in")
QUANTILES = {"median": "p50_us", "99 %": "p99_us"}
WORTH = {"time_lost_s": "lose as little time", "page_ins": "have as few page-ins"}
UNITS = {"time_lost_s": ("Seconds lost", "{:.3f}"), "page_ins": ("Page-ins", "{:,.0f}")}


def density_tables(result: Result) -> Iterator[Table]:
    """Densities side by side; what each pool takes where only few were run."""
    table = result.summary
    if table.empty:
        return
    names = distinguished(name for name in table if name != IDEAL) | {IDEAL: IDEAL}
    keys = [str(name) for name in table.index.names]
    rows = [
        row(_keys(keys, key), values, best=max((v for v in values[:-1] if v == v), default=None))
        for key, values in zip(table.index, table.to_numpy(float).tolist(), strict=True)
    ]
    note = "More is better; in bold: the densest of a row, the ideal aside."
    if small_pools(result.density).any():
        note += f" -: a pool of fewer than {SMALL:,} pages, which is too small to judge, or no such run."
    yield Table(CAPTION, [*map(_words, keys), *(names[name] for name in table)], rows, len(keys), note)


def ram_tables(result: Result) -> Iterator[Table]:
    """For each trace: time lost and page-ins by size of RAM, and what compressed swap is worth."""
    measures = [name for name in UNITS if name in result.ram]
    for first in curves(result.ram) if len(result.ram) else ():
        for measure in measures:
            yield _by_size(other(result.ram, first, measure))
        for measure in measures:
            curve = other(result.ram, first, measure)
            if len(curve.device) and curve.size == "ram":
                yield _worth(curve)


def _by_size(curve: Curves) -> Table:
    what, form = UNITS[curve.measure]
    ways = list(dict.fromkeys([*map(str, curve.of), *([BASELINE] if len(curve.device) else [])]))
    columns: dict[str, Any] = {way: curve.device if way == BASELINE else curve.of[way] for way in ways}
    rows = []
    for size in curve.of.index:
        values = [float(columns[way].get(size, math.nan)) for way in ways]
        rows.append(row([_mib(size)], values, form, min((v for v in values if v == v), default=None)))
    shared = "RAM that program and pool share" if curve.size == "ram" else "memory of the program alone"
    heads = ["RAM" if curve.size == "ram" else "limit", *ways]
    return Table(f"{curve.trace}: {what.lower()}, by {shared}", heads, rows, 1, "Less is better; in bold: the least.")


def _worth(curve: Curves) -> Table:
    mib = worth(curve).where(curve.of > 0)
    rows = [row([_mib(size)], mib.loc[size].tolist(), "{:+.0f}") for size in mib.index]
    title = f"{curve.trace}: MiB of RAM that a swap device alone needs more to {WORTH[curve.measure]}"
    note = "Negative: the device alone needs less RAM. -: nothing was lost, or nothing is known of that size."
    return Table(title, ["RAM", *map(str, mib)], rows, 1, note)


def latency_tables(result: Result) -> Iterator[Table]:
    """Page-outs and page-ins of timed runs, then what the codecs take by themselves."""
    rows = result.latency
    if rows.empty:
        return
    yield from _operations(rows[(rows["part"] == TOTAL) & rows["operation"].isin(OPERATIONS)])
    yield from _codecs(rows[rows["operation"] == CODEC])


def _operations(totals: pd.DataFrame) -> Iterator[Table]:
    if totals.empty:
        return
    told = [*run_columns(totals.columns), *setting_columns(totals.columns)]
    keys = [
        name for name in told if name in ("trace", "compressor", "allocator") or totals[name].nunique(dropna=False) > 1
    ]
    common = [f"{_words(name)} {totals[name].iloc[0]}" for name in told if name not in keys and _is_told(totals, name)]
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for run in totals.to_dict("records"):
        found.setdefault(tuple(run[name] for name in keys), {})[run["operation"]] = run
    rows = []
    for key, runs in found.items():
        figures = [runs.get(operation, {}).get(name) for operation in OPERATIONS for name in QUANTILES.values()]
        rows.append(row([_value(name, value) for name, value in zip(keys, key, strict=True)], figures, "{:,.1f}"))
    heads = [f"{operation}, {name}" for operation in OPERATIONS for name in QUANTILES]
    note = f"Modelled; {', '.join(common)}." if common else "Modelled."
    yield Table(f"How long page-outs and page-ins take, {US}", [*map(_words, keys), *heads], rows, len(keys), note)


def _codecs(codecs: pd.DataFrame) -> Iterator[Table]:
    if codecs.empty:
        return
    parts = in_order(codecs["part"])
    rows = []
    for (trace, codec), mine in codecs.groupby(["trace", "compressor"], sort=False):
        by_part = mine.set_index("part")
        figures = [by_part[name].get(part) for part in parts for name in QUANTILES.values()]
        cells = [Cell(str(trace)), Cell(str(codec)), *(Cell(figure(value, "{:.1f}")) for value in figures)]
        rows.append(cells)
    taken = in_order(codecs["codec_times"].dropna()) if "codec_times" in codecs else []
    heads = ["trace", "compressor", *(f"{part}, {name}" for part in parts for name in QUANTILES)]
    note = f"Measured on {'; '.join(map(str, taken))}." if taken else ""
    yield Table(f"What the codecs take by themselves, {US} a page", heads, rows, 2, note)


def _is_told(frame: pd.DataFrame, name: str) -> bool:
    return bool(frame[name].notna().any())


def _keys(names: list[str], key: Any) -> list[str]:
    parts = key if isinstance(key, tuple) else (key,)
    return [_value(name, part) for name, part in zip(names, parts, strict=True)]


def _value(name: str, value: Any) -> str:
    import pandas as pd

    if pd.isna(value):
        return "-"
    return mib_text(value) if name in ("ram", "limit") else f"{value:g}" if isinstance(value, float) else str(value)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _mib(size: Any) -> str:
    return mib_text(int(size))
