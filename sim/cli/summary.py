"""The end of a run on one screen: densities beside the ideal, and the verdict in words."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sim.plots.names import distinguished, family_of, settings_of
from sim.results.verdict import IDEAL, base_of, chains_of, verdict
from sim.timing.latency import run_columns
from workloads.shown import shown

if TYPE_CHECKING:
    import pandas as pd

    from sim.results.result import Result

    Groups = Iterable[tuple[Any, pd.DataFrame]]

WIDTH, HEIGHT = 80, 24
SENTENCE, WORDS = 4, 17  # lines of a sentence, and of all, at most
LONGEST = 20  # characters of a name, or twice as many where there is room
LABELS = 60  # columns of the names of traces, frontends and codecs


def print_summary(result: Result) -> None:
    """Print it."""
    for line in summary(result):
        print(line)


def summary(result: Result) -> list[str]:
    """At most `HEIGHT` lines of at most `WIDTH` columns, for someone who reads nothing else."""
    if result.density.empty:  # interrupted before the first run was finished
        return []
    frontends = ", ".join(map(str, dict.fromkeys(result.density["frontend"])))
    title = _wrapped(f"Compressed pages per physical page at each trace's fullest moment, in {frontends}", 2)
    words = [line for sentence in verdict(result) for line in _wrapped(sentence, SENTENCE)][:WORDS]
    lines = [*title, *_table(result.density, HEIGHT - len(title) - len(words))]
    gap = [""] if words and len(lines) + len(words) < HEIGHT else []
    return [*lines, *gap, *words]


def _wrapped(text: str, most: int) -> list[str]:
    return textwrap.wrap(shown(text), WIDTH, max_lines=most, placeholder=" ...", break_on_hyphens=False)


def _table(density: pd.DataFrame, most: int) -> list[str]:
    """At most `most` lines: a row for each trace and codec, a column for each allocator, ideal last.

    What there is no room for is counted.
    """
    keys = [name for name in run_columns(density.columns) if name != "allocator"]
    keys = [name for name in keys if name in ("trace", "compressor") or density[name].nunique(dropna=False) > 1]
    groups = list(density.groupby(keys, sort=False, dropna=False))
    names = {name: distinguished(density[name]) for name in ("frontend", "compressor")}
    cells = [[str(names[key][of[i]] if key in names else of[i]) for of, _ in groups] for i, key in enumerate(keys)]
    heads = ["codec" if key == "compressor" else key for key in keys]
    for longest in (2 * LONGEST, LONGEST):
        labels = [
            _column(head, [_cut(cell, longest) for cell in mine]) for head, mine in zip(heads, cells, strict=True)
        ]
        if sum(len(column[0]) + 1 for column in labels) <= LABELS:
            break
    ideal = _figures(IDEAL, None, groups)
    room = WIDTH - sum(len(column[0]) + 1 for column in labels) - len(ideal[0])
    allocators = [name for name in dict.fromkeys(density["allocator"]) if name != IDEAL]
    shown_ones, left_out = _columns(allocators, groups, room)
    above = [""] * len(labels) + [family for family, _ in shown_ones]
    columns = labels + [column for _, column in shown_ones]
    left = {"allocators": left_out, "rows": 0}
    lines = [_above(above, columns)] if any(above) else []
    lines += [" ".join(cells) for cells in zip(*columns, ideal, strict=True)]
    for i, (_, rows) in enumerate(groups, len(lines) - len(groups)):
        if rows["small"].all():
            label = " ".join(column[i - len(lines) + len(groups) + 1] for column in labels)
            lines[i] = f"{label} {_too_small(rows)}"
    if len(lines) + (left["allocators"] > 0) > most:
        left["rows"] = len(lines) + 1 - most
        lines = lines[: most - 1]
    if told := " and ".join(_more(number, what) for what, number in left.items() if number > 0):
        lines.append(f"({told}: --full)")
    return [shown(line).rstrip()[:WIDTH] for line in lines]


def _more(number: int, what: str) -> str:
    return f"{number} more {what if number > 1 else what.removesuffix('s')}"


def _columns(names: list[str], groups: Groups, room: int) -> tuple[list[tuple[str, list[str]]], int]:
    """The columns that there is room for, each with what stands above it, and how many allocators are left out.

    Chain sizes are compared in words; they are shown where there is room for all.
    """

    def fitting(names: list[str]) -> list[tuple[str, list[str]]]:
        found, left = [], room
        for family, head, name in _heads(names):
            column = _figures(head, name, groups)
            left -= len(column[0]) + 1
            if left < 0:
                break
            found.append((family, column))
        return found

    found = fitting(names)
    if len(found) < len(names):
        base, chains = base_of(names), chains_of(names).values()
        names = [name for name in names if name == base or name not in chains]
        found = fitting(names)
    return found, len(names) - len(found)


def _above(families: list[str], columns: list[list[str]]) -> str:
    """The line above the heads: each family over its first variant."""
    line, at = "", 0
    for family, column in zip(families, columns, strict=True):
        if family:
            line = line.ljust(at) + family + " "
        at += len(column[0]) + 1
    return line


def _too_small(rows: pd.DataFrame) -> str:
    """Why there are no figures."""
    if not rows["slots_max"].any():
        return "no page-outs"
    pages = int((rows["pages_peak"] + rows["refused_peak"]).max())
    return f"pool of {pages:,} pages: too small to judge; ideal {rows['ideal_density'].max():.2f}"


def _figures(head: str, allocator: str | None, groups: Groups) -> list[str]:
    """Densities of an allocator, or the ideal ones."""
    cells = []
    for _, rows in groups:
        found = rows["ideal_density"] if allocator is None else rows.loc[rows["allocator"] == allocator, "density"]
        value = float(found.max())
        cells.append("" if rows["small"].all() else "-" if math.isnan(value) else f"{value:.2f}")
    return _column(head, cells, right=True)


def _column(head: str, cells: list[str], right: bool = False) -> list[str]:
    width = max(map(len, [head, *cells]))
    return [text.rjust(width) if right else text.ljust(width) for text in [head, *cells]]


def _heads(allocators: list[str]) -> Iterator[tuple[str, str, str]]:
    """What stands above the head, the head, and the allocator: variants stand under the family's name, told once."""
    settings = settings_of(allocators)
    before = ""
    for name in allocators:
        family = _cut(family_of(name))
        yield (family if family != before else "", _cut(settings[name]), name) if settings[name] else ("", family, name)
        before = family


def _cut(text: str, most: int = LONGEST) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
