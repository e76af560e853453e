"""The tables of a result."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sim.plots.style import by_sweep, in_order, short
from sim.results.density import SMALL
from sim.timing.latency import LATER, RUN, SETTING

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

    from sim.results.result import Result

UNFINISHED: dict[str, Any] = {"density": math.nan, "density_mean": math.nan, "refused": 0, "small": False}


def print_result(result: Result, full: bool) -> None:
    """Print latency and counters, a table per trace each; density and the compressors' times too if `full`.

    Latencies on machines of several sizes are many, and what they come to is in the summary: those, too, if `full`.
    """
    from sim.cli.counters import counters
    from sim.cli.output import console, fitting

    screen = console()
    if result.density.empty:  # interrupted before the first run was finished
        return

    def show(rows: pd.DataFrame, table_of: Callable[[pd.DataFrame, str], Any]) -> None:
        rows = by_sweep(rows)
        for trace in in_order(rows["trace"]):
            mine = rows[rows["trace"] == trace]

            def of_codecs(codecs: list[Any], mine: pd.DataFrame = mine, trace: str = trace) -> Any:
                return table_of(mine[mine["compressor"].isin(codecs)], str(trace))

            for table in fitting(of_codecs, in_order(mine["compressor"]), screen.width):
                _print(screen, table)

    if full:
        show(result.density, _density)
    codec = result.latency["operation"] == "codec"
    if full or result.ram.empty:
        show(result.latency[~codec], _latency)
    if len(result.sensitivity):
        _print(screen, _sensitivity(result.sensitivity))
    if full and codec.any():
        _print(screen, _codecs(result.latency[codec]))
    for table in counters(result.counters):
        _print(screen, table)


def _print(screen: Console, table: Table) -> None:
    """Print title and caption as wide as the screen, not as the table."""
    title, caption, table.title, table.caption = table.title, table.caption, None, None
    if title:
        screen.print(title, style="italic", highlight=False)
    screen.print(table)
    if caption:
        screen.print(caption, style="dim italic", highlight=False)
    screen.print()


def _table(title: str, caption: str) -> Any:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    return Table(title=title, caption=caption, title_justify="left", caption_justify="left", box=SIMPLE_HEAD)


# Names are folded where the terminal is narrow; figures never are.
TEXT: dict[str, Any] = {"overflow": "fold"}
FIGURES: dict[str, Any] = {"justify": "right", "no_wrap": True}


def _density(rows: pd.DataFrame, trace: str) -> Any:
    codecs, frontends = in_order(rows["compressor"]), in_order(rows["frontend"])
    cells = {(run["frontend"], run["allocator"], run["compressor"]): run for run in rows.to_dict("records")}
    table = _table(
        f"{trace}: compressed pages per physical page",
        "at the trace's fullest moment (mean over time), then MiB of pages held then / MiB of RAM that they take; "
        f"refused: page-outs that the allocator did not take; small: a pool of fewer than {SMALL:,} pages, which is "
        "too small to judge",
    )
    table.add_column("allocator", **TEXT)
    if len(frontends) > 1:
        table.add_column("frontend", **TEXT)
    for codec in codecs:
        table.add_column(f"{codec}\nheld/RAM MiB", **FIGURES)
    table.add_column("refused", **FIGURES)
    for frontend in frontends:
        for allocator in in_order(rows["allocator"]):
            mine = [cells.get((frontend, allocator, codec), UNFINISHED) for codec in codecs]
            table.add_row(
                str(allocator),
                *([str(frontend)] if len(frontends) > 1 else []),
                *(f"{_densities(run)} {_memory(run):>9}" for run in mine),
                " / ".join(str(run["refused"]) for run in mine) if any(run["refused"] for run in mine) else "",
                style="dim" if str(allocator) == "ideal" else "",
            )
    return table


def _densities(run: Mapping[Any, Any]) -> str:
    """At the fullest moment and on average; neither of a pool too small to judge."""
    return "small" if run["small"] else f"{_figure(run['density'])} ({_figure(run['density_mean'])})"


def _memory(run: Mapping[Any, Any]) -> str:
    """MiB of pages held at the fullest moment, same-filled ones too, and MiB that the allocator has for them."""
    if math.isnan(run["density"]):
        return "-"
    held, taken = run["objects_peak"] + run["same_filled_peak"], run["pages_peak"]
    return "/".join(
        f"{mib:.1f}" if mib < 100 else f"{mib:.0f}" for mib in (n * run["page_size"] / 2**20 for n in (held, taken))
    )


def _latency(rows: pd.DataFrame, trace: str) -> Any:
    """A row per run and setting; what all have in common stands in the title."""
    totals = rows[rows["part"] == "total"]
    varied = [name for name in (*RUN[1:], *SETTING) if totals[name].nunique() > 1 and name != "compressor"]
    told = [name for name in (*SETTING, *LATER) if name in totals and name not in varied]
    common = ", ".join(f"{name} {_plain(totals[name].iloc[0])}" for name in told if totals[name].nunique() == 1)
    table = _table(
        f"{trace}: how long page-outs and page-ins take, us (modelled; {common})",
        f"median/99th percentile; costs and their sources: docs/timing.md; codec times of {_taken(totals)}",
    )
    table.caption += _waiting(rows)
    table.padding = (0, 0, 0, 1)
    for name in varied:
        table.add_column(name, **TEXT)
    codecs, operations = in_order(totals["compressor"]), ("page-out", "page-in")
    some_failed = (totals["operation"] == "failed").any()
    for codec in codecs:  # one column for both operations: there is no room for more
        table.add_column(f"{short(codec)}\n{'page-out':>9} {'page-in':>8}", no_wrap=True)
    if some_failed:
        table.add_column("failed", **FIGURES)
        table.caption += "; failed: page-outs and page-ins whose object could not be mapped, not among the others"
    if "page_cluster" in varied:  # readahead: many short page-ins and some long ones, which a median hides
        ins = totals[totals["operation"] == "page-in"]
        means = zip(ins[["compressor", *varied]].itertuples(index=False), ins["mean_us"], strict=True)
        table.caption += "; mean page-in: " + ", ".join(f"{' '.join(map(_plain, of))}: {us:.1f}" for of, us in means)
    key = [*varied, "compressor", "operation"]
    cells = {tuple(run[name] for name in key): run for run in totals.to_dict("records")}
    for run in dict.fromkeys(tuple(values) for values in totals[varied].itertuples(index=False)):
        figures = [[_pair(cells.get((*run, codec, operation))) for operation in operations] for codec in codecs]
        failed = " / ".join(str(cells.get((*run, codec, "failed"), {"count": 0})["count"]) for codec in codecs)
        shown = [f"{out:>9} {page_in:>8}" for out, page_in in figures]
        table.add_row(*map(_plain, run), *shown, *([failed] if some_failed else []))
    return table


def _waiting(rows: pd.DataFrame) -> str:
    """How much of the mean of all runs is waiting, for a CPU, kswapd, a stream, a lock or the device."""
    us = rows["mean_us"] * rows["count"]
    told = []
    for operation in ("page-out", "page-in"):
        mine = rows["operation"] == operation
        total = us[mine & (rows["part"] == "total")].sum()
        if total:
            told.append(f"{us[mine & rows['part'].isin(WAITS)].sum() / total:.0%} of a {operation}")
    return f"; of the mean, waiting is {', '.join(told)} (CPU, kswapd, locks, device)" if told else ""


def _pair(row: Mapping[Any, Any] | None) -> str:
    """Median and 99th percentile."""
    if row is None:
        return "-"
    return "/".join(f"{us:.1f}" if us < 100 else f"{us:.0f}" for us in (row["p50_us"], row["p99_us"]))


MOST = 12  # costs shown
WAITS = ("queue", "stream", "lock", "device")  # parts of an operation


def _sensitivity(rows: pd.DataFrame) -> Any:
    """The costs that matter most, by the largest change of a median that either end of their range makes."""
    table = _table("what depends on assumed costs", "largest change of the median over all runs")
    for name in ("price", "operation", "low", "high"):
        table.add_column("cost" if name == "price" else name, **(TEXT if name in ("price", "operation") else FIGURES))
    largest = rows.loc[rows.groupby(["price", "value", "operation"])["p50_change"].apply(lambda c: c.abs().idxmax())]
    ranked = largest.assign(size=largest["p50_change"].abs()).sort_values("size", ascending=False)
    for cost, operation in list(dict.fromkeys(zip(ranked["price"], ranked["operation"], strict=True)))[:MOST]:
        mine = largest[(largest["price"] == cost) & (largest["operation"] == operation)].sort_values("value")
        ends = [f"{value:g}: {change:+.0%}" for value, change in zip(mine["value"], mine["p50_change"], strict=True)]
        table.add_row(cost, operation, *ends, *([""] * (2 - len(ends))))
    return table


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _codecs(latency: pd.DataFrame) -> Any:
    table = _table(
        "compression times, us per page", f"each unique page was timed {_how(latency)}, on {_taken(latency)}"
    )
    table.add_column("trace", **TEXT)
    table.add_column("compressor", **TEXT)
    parts = in_order(latency["part"])
    for part in parts:
        table.add_column(f"{part}\np50", **FIGURES)
        table.add_column("\np99", **FIGURES)
    cells = {(run["trace"], run["compressor"], run["part"]): run for run in latency.to_dict("records")}
    for trace, codec in dict.fromkeys(zip(latency["trace"], latency["compressor"], strict=True)):
        mine = [cells[trace, codec, part] for part in parts]
        table.add_row(trace, codec, *(f"{run[q]:.1f}" for run in mine for q in ("p50_us", "p99_us")))
    return table


def _how(latency: pd.DataFrame) -> str:
    """How often, and how far apart the medians of several processes are."""
    rows = latency[latency["p50_low_us"].notna()] if "p50_low_us" in latency else latency.iloc[:0]
    told = [
        f"{row['trace']}, {row['compressor']}: {row['part']} {row['p50_low_us']:.2f} to {row['p50_high_us']:.2f}"
        for row in rows.to_dict("records")
    ]
    return f"once, or by several processes (their medians, us: {'; '.join(told)})" if told else "once"


def _taken(rows: pd.DataFrame) -> str:
    """Where the codecs' times were taken."""
    return ", ".join(map(str, in_order(rows["codec_times"].dropna()))) if "codec_times" in rows else "not told"


def _figure(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"
