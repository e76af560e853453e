"""Frames as rows of plain values, for --json and --csv."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from sim.results.result import Result

AT_END = ("density_end", "effective_density_end")


def with_latencies(result: Result) -> list[dict[str, Any]]:
    """The rows, each with the rows of its own latencies, under every setting."""
    from sim.timing.latency import CODEC, run_columns

    run = run_columns(result.density)
    latencies: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in plain(result.latency[result.latency["operation"] != CODEC]):
        latencies.setdefault(tuple(row.pop(name) for name in run), []).append(row)
    spreads = result.provenance.get("codec_spread", {})
    return [
        row
        | {"latency": latencies.get(tuple(row[name] for name in run), [])}
        | {"codec_spread": spreads.get(row["trace"], {}).get(row["compressor"])}
        for row in rows_of(result)
    ]


def rows_of(result: Result) -> list[dict[str, Any]]:
    """The rows of densities, with those of machines of other sizes; those at the end too where nothing is held then."""
    from sim.results.ram import beside

    return [row | {name: row.get(name) for name in AT_END} for row in plain(beside(result.density, result.ram))]


def with_mm_stat(result: Result, rows: list[dict[str, Any]], flat: bool = False) -> list[dict[str, Any]]:
    """The rows, each with mm_stat of its run if that was asked for: as objects, or as columns `mm_stat.FIELD`."""
    if result.mm_stat.empty:
        return rows
    from sim.timing.latency import run_columns

    run = run_columns(result.mm_stat)
    found: dict[tuple[Any, ...], dict[str, dict[str, Any]]] = {}
    for row in plain(result.mm_stat):
        key = tuple(row.pop(name) for name in run)
        found.setdefault(key, {})[{"fullest": "mm_stat"}.get(row["moment"], "mm_stat_end")] = row
        del row["moment"]
    none = dict.fromkeys(next(iter(found.values()))["mm_stat"])
    told = []
    for row in rows:
        mine = found.get(tuple(row[name] for name in run), {"mm_stat": none, "mm_stat_end": none})
        flattened = {f"{kind}.{name}": value for kind, fields in mine.items() for name, value in fields.items()}
        told.append(row | (flattened if flat else mine))
    return told


def if_whole(result: Result, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows; those of a run that was broken off say in a column `complete` that they are not all."""
    return rows if result.provenance["complete"] else [row | {"complete": False} for row in rows]


def plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of plain Python values; a figure that does not exist is None."""
    import pandas as pd

    def exists(value: Any) -> bool:
        return value is not pd.NA and (not isinstance(value, float) or isfinite(value))

    return [
        {str(key): value if exists(value) else None for key, value in row.items()} for row in frame.to_dict("records")
    ]
