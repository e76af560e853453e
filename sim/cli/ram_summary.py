"""The end of a run on machines of other sizes, on one screen: a row for each size, and the verdict in words."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.plots.curves import Curves, curves, other
from sim.ram.meter import BASELINE
from sim.results.worth import densities, unknown, verdict
from sim.units import mib_text
from workloads.shown import shown

if TYPE_CHECKING:
    import pandas as pd

    from sim.results.result import Result

WIDTH, HEIGHT, WORDS = 80, 24, 12


def print_ram_summary(result: Result) -> None:
    """Print it."""
    for line in ram_summary(result.ram, result.density):
        print(line)


def ram_summary(ram: pd.DataFrame, density: pd.DataFrame) -> list[str]:
    """At most `HEIGHT` lines of at most `WIDTH` columns; `density` may be empty."""
    sentences = [*densities(ram, density), *verdict(ram)]
    words = [line for text in sentences for line in textwrap.wrap(shown(text), WIDTH, max_lines=4)][:WORDS]
    tables = list(curves(ram))
    room = HEIGHT - len(words)
    lines: list[str] = []
    for number, curve in enumerate(tables):
        most = (room - len(lines)) // (len(tables) - number)
        if most < 3:
            lines.append(f"({len(tables) - number} more traces: --json)")
            break
        lines += list(_table(ram, curve, most))
    return [*(line[:WIDTH].rstrip() for line in lines), *words]


def _table(ram: pd.DataFrame, curve: Curves, most: int) -> Iterator[str]:
    """A title, heads, and a row for each size, evenly thinned to `most` lines in all."""
    policy = ram.loc[ram["trace"] == curve.trace, "policy"].iloc[0]
    frontends = ", ".join(name for name in ram["frontend"].drop_duplicates() if name != BASELINE)
    timed = curve.measure == "time_lost_s"
    meaning = "program and pool share" if curve.size == "ram" else "the program alone"
    what = "seconds lost / page-ins" if timed else "page-ins"
    title = shown(f"{curve.trace}: {what} by RAM ({meaning}), in {frontends or BASELINE}; {policy}")
    head = textwrap.wrap(title, WIDTH, max_lines=2, placeholder=" ...")
    yield from head
    ins = other(ram, curve, "page_ins")
    sizes = [int(str(size)) for size in curve.of.index]
    columns = [["RAM", *("*" * unknown(curve, size) + mib_text(size) for size in sizes)]]
    for way in dict.fromkeys([*curve.of, *([BASELINE] if len(curve.device) else [])]):
        lost, faults = (c.device if way == BASELINE else c.of[way] for c in (curve, ins))
        cells = [
            f"{lost.get(size, float('nan')):.2f} / {faults.get(size, 0):,.0f}" if timed else f"{lost.get(size, 0):,.0f}"
            for size in curve.of.index
        ]
        columns.append([str(way), *cells])
    width = [max(map(len, column)) for column in columns]
    fit = [i for i in range(len(columns)) if sum(width[: i + 1]) + 2 * i <= WIDTH]
    rows = ["  ".join(columns[i][j].rjust(width[i]) for i in fit).rstrip() for j in range(len(curve.of) + 1)]
    gone = [column[0] for column in columns[len(fit) :]]
    body, room = rows[1:], most - 1 - len(head) - bool(gone)
    if len(body) > room:
        body = [body[round(k * (len(body) - 1) / max(1, room - 1))] for k in range(room)]
    yield rows[0]
    yield from body
    if gone:
        yield textwrap.shorten(f"(for want of room not: {', '.join(gone)}; --json has all)", WIDTH, placeholder=" ...)")
