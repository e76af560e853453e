"""`cswap compare`: how two results differ, for people and for CI."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pandas as pd

    from sim.results.differences import Differences

WIDTH, HEIGHT, WORST = 80, 24, 5
DIFFERS = 1  # exit status


def compare(
    a: Annotated[
        Path, typer.Argument(metavar="A", help="A result's or sweep's folder, a provenance.json, or a frame as CSV.")
    ],
    b: Annotated[Path, typer.Argument(metavar="B", help="The same of what is compared with it.")],
    tolerance: Annotated[
        str, typer.Option(metavar="X%", help="By how much a measure may be worse for exit status 0.")
    ] = "1%",
    either: Annotated[bool, typer.Option("--any", help="Exit status 1 for what is better, too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Measures and rows as JSON instead of tables.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="The measures as CSV instead of tables.")] = False,
) -> None:
    """Compare two results: ratios B / A with their intervals, and whether B is better or worse.

    Exit status: 0 if no measure is significantly worse, 1 if one is by more than the tolerance, 2 for an error.
    """
    from sim.cli.output import print_csv, print_json, standard_output
    from sim.cli.rows import plain
    from sim.errors import UserError
    from sim.results.differences import differences, open_result

    most = _share(tolerance)
    if json and csv:
        raise UserError("--json and --csv: give one of them")
    found = differences(open_result(a), open_result(b))
    if json:
        print_json(
            {
                "compared": {name: {"a": mine, "b": theirs} for name, (mine, theirs) in found.compared.items()},
                "alone": {"a": found.alone[0], "b": found.alone[1]},
                "notes": found.notes,
                "measures": plain(found.measures),
                "rows": plain(found.rows),
            }
        )
    elif csv:
        print_csv(plain(found.measures))
    else:
        with standard_output():
            for line in lines(found, str(a), str(b), most, either):
                print(line)
    if len(found.significant(most, either)):
        raise typer.Exit(DIFFERS)


def lines(found: Differences, a: str, b: str, tolerance: float, either: bool) -> list[str]:
    """At most `HEIGHT` lines: what is compared, a row a measure, the verdict, and the rows that are worse by most."""
    head = [*_head(found, a, b)]
    same = found.measures[found.measures["verdict"] == "identical"]
    table = [*_table(found.measures.drop(same.index))]
    words = [*_wrapped(f"Identical: {', '.join(same['measure'])}.", 3)] if len(same) else []
    words += _wrapped(_verdict(found, tolerance, either), 4)
    room = HEIGHT - len(head) - len(table) - len(words)
    return [*head, *table, *words, *_worst(found, min(WORST, room - 1), tolerance)]


def _head(found: Differences, a: str, b: str) -> Iterator[str]:
    told = [f"{name} {mine or 'none'} in A, {theirs or 'none'} in B" for name, (mine, theirs) in found.compared.items()]
    yield from _wrapped(f"A: {a}; B: {b}", 2)
    if told:
        yield from _wrapped(f"Compared: {'; '.join(told)}", 2)
    alone = [f"{n:,} in {side} only" for n, side in zip(found.alone, "AB", strict=True) if n]
    for note in [*([f"rows {' and '.join(alone)}, left out"] if alone else []), *found.notes]:
        yield from _wrapped(f"({note})", 1)


def _table(measures: pd.DataFrame) -> Iterator[str]:
    if measures.empty:
        return
    heads = ("measure", "rows", "B / A", "95 % interval", "verdict")
    rows = [
        (
            str(row["measure"]),
            f"{row['rows']:,}",
            _ratio(row["ratio"]),
            "one workload" if row["workloads"] == 1 else f"{_ratio(row['low'])} to {_ratio(row['high'])}",
            _words(row),
        )
        for row in measures.to_dict("records")
    ]
    width = [max(len(cells[i]) for cells in (heads, *rows)) for i in range(len(heads))]
    for cells in (heads, *rows):
        left, *right, last = (
            text.ljust(n) if i in (0, len(heads) - 1) else text.rjust(n)
            for i, (text, n) in enumerate(zip(cells, width, strict=True))
        )
        yield "  ".join([left, *right, last]).rstrip()[:WIDTH]


def _words(row: Mapping[Any, Any]) -> str:
    """The verdict, and what that is; of workloads that agree though their ratios differ much, say so."""
    throughout = " throughout" if row["effect"] and row["low"] <= 1 <= row["high"] else ""
    return f"{row['verdict']}{throughout}{', ' * bool(row['effect'])}{row['effect']}"


def _verdict(found: Differences, tolerance: float, either: bool) -> str:
    """What the exit status says, in words."""
    measures, worse = found.measures, found.significant(tolerance)
    better = found.significant(tolerance, either=True).drop(worse.index)
    told = [
        f"{word}: {', '.join(rows['measure'])}" for word, rows in (("Worse", worse), ("Better", better)) if len(rows)
    ]
    if not told:
        all_same = (measures["verdict"] == "identical").all()
        none = f"No significant difference of more than {100 * tolerance:g} %"
        told = ["Nothing differs" if all_same else none]
    return f"{'. '.join(told)}."


def _worst(found: Differences, number: int, tolerance: float) -> Iterator[str]:
    from workloads.shown import shown

    rows = found.worst(max(0, number), tolerance)
    keys = [name for name in found.rows if name not in ("measure", "a", "b", "ratio", "effect")]
    told = [name for name in keys if found.rows[name].nunique(dropna=False) > 1] or keys[:1]
    if len(rows):
        yield "Worst:"
    for row in rows.to_dict("records"):
        place = ", ".join(str(row[name]) for name in told if isinstance(row[name], str) and row[name])
        figures = f"  {_ratio(row['ratio'])}  {row['measure']} {_figure(row['a'])}, now {_figure(row['b'])}: "
        yield shown(f"{figures}{place}")[:WIDTH]


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _ratio(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}" if value < 100 else f"{value:,.0f}"


def _wrapped(text: str, most: int) -> list[str]:
    from workloads.shown import shown

    return textwrap.wrap(shown(text), WIDTH, max_lines=most, placeholder=" ...", break_on_hyphens=False)


def _share(text: str) -> float:
    """`1%` or `0.01` as a number."""
    from sim.errors import UserError

    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise UserError(f"--tolerance: {text!r} is no share; give one such as 1%")
    return value
