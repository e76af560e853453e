"""The tables of a result, for people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sim.plots.style import in_order

if TYPE_CHECKING:
    import pandas as pd

    from sim.results import Result

UNFINISHED: dict[str, Any] = {"density": math.nan, "density_mean": math.nan, "refused": 0}


def print_result(result: Result) -> None:
    """Print density, a table a workload, and the codecs' times."""
    from rich.console import Console

    console = Console()
    if result.density.empty:  # interrupted before the first run was finished
        return
    for trace in in_order(result.density["trace"]):
        console.print(_density(result.density[result.density["trace"] == trace], str(trace)))
    codecs = result.latency[result.latency["operation"] == "codec"]
    if len(codecs):
        console.print(_codecs(codecs))


def _table(title: str, caption: str) -> Any:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    return Table(title=title, caption=caption, title_justify="left", caption_justify="left", box=SIMPLE_HEAD)


def _density(rows: pd.DataFrame, trace: str) -> Any:
    codecs, frontends = in_order(rows["compressor"]), in_order(rows["frontend"])
    cells = {(run["frontend"], run["allocator"], run["compressor"]): run for run in rows.to_dict("records")}
    table = _table(
        f"{trace}: compressed pages per physical page",
        "at the peak (mean over time); refused: page-outs that the allocator did not take",
    )
    table.add_column("allocator", no_wrap=True)
    if len(frontends) > 1:
        table.add_column("frontend")
    for codec in codecs:
        table.add_column(str(codec), justify="right", no_wrap=True)
    table.add_column("refused", justify="right", no_wrap=True)
    for frontend in frontends:
        for allocator in in_order(rows["allocator"]):
            mine = [cells.get((frontend, allocator, codec), UNFINISHED) for codec in codecs]
            table.add_row(
                str(allocator),
                *([str(frontend)] if len(frontends) > 1 else []),
                *(f"{_figure(run['density'])} ({_figure(run['density_mean'])})" for run in mine),
                " / ".join(str(run["refused"]) for run in mine) if any(run["refused"] for run in mine) else "",
                style="dim" if str(allocator) == "ideal" else "",
            )
    return table


def _codecs(latency: pd.DataFrame) -> Any:
    table = _table(
        "what the codecs cost on this machine, us a page", "each unique page was timed once, as it first came"
    )
    table.add_column("workload")
    table.add_column("codec")
    parts = in_order(latency["part"])
    for part in parts:
        table.add_column(f"{part} p50", justify="right")
        table.add_column("p99", justify="right")
    cells = {(run["trace"], run["compressor"], run["part"]): run for run in latency.to_dict("records")}
    for trace, codec in dict.fromkeys(zip(latency["trace"], latency["compressor"], strict=True)):
        mine = [cells[trace, codec, part] for part in parts]
        table.add_row(trace, codec, *(f"{run[q]:.1f}" for run in mine for q in ("p50_us", "p99_us")))
    return table


def _figure(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"
