"""What the latency plots share: the rows that they draw, and labels of settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from sim.errors import UserError
from sim.parameters import is_number
from sim.plots.left_out import left_out
from sim.plots.style import by_sweep, named, short
from sim.timing.latency import LATER, RUN, SETTING, TOTAL
from sim.timing.setting import Setting

if TYPE_CHECKING:
    from collections.abc import Sequence

OPERATIONS = ("page-out", "page-in")
NUMBERS = ("cpus", "load")  # settings against which there are pictures of their own
PANELS = tuple(name for name in SETTING if name not in NUMBERS)  # each value of which has its row of panels
Line = tuple[str, str, str]  # compressor, frontend, allocator
ALIKE = 0.05  # by how much allocators may differ that are drawn as one, where there are many
MANY = 12  # bars, or lines


def timed(rows: pd.DataFrame) -> pd.DataFrame:
    """Page-outs and page-ins of timed runs, of the `latency` frame or the per-event frame; maybe none."""
    return rows[rows["operation"].isin(OPERATIONS)] if "operation" in rows else rows


def some_timed(rows: pd.DataFrame) -> pd.DataFrame:
    """The same, with what is swept besides CPUs and load told in the name of the trace. Raises UserError if none."""
    found = timed(rows)
    if found.empty:
        raise UserError("no timed runs to plot; run with --timing")
    return by_sweep(found, also=PANELS)


def first_setting(rows: pd.DataFrame, free: str = "") -> pd.DataFrame:
    """The rows with as many CPUs and as much load as stand first; the column `free` may have any value."""
    first = rows.iloc[0]
    for column in NUMBERS:
        if column != free:
            rows = rows[rows[column] == first[column]]
    return rows


def not_drawn(rows: pd.DataFrame, drawn: pd.DataFrame) -> str:
    """The runs and settings that a picture does not show, in words."""
    return left_out(rows, drawn, (*RUN, *SETTING))


def setting_text(rows: pd.DataFrame, free: str = "") -> str:
    """The setting that the rows share in words, without the column `free`."""
    one: Any = rows.iloc[0]
    words = {
        "cpus": f"{one['cpus']:g} CPU{'s' if one['cpus'] > 1 else ''}",
        "arrivals": f"arrivals {one['arrivals']}",
        "load": f"load x {one['load']:g}" if one["load"] != 1 else "",
        "mapping": f"mapping by {one['mapping']}",
        "page_cluster": f"page-cluster {one['page_cluster']:g}",
        "device": f"swap device {one['device']}",
    }
    shared = [column for column in words if column != free and rows[column].nunique() == 1]
    return ", ".join(words[column] for column in shared if words[column])


def titled(title: str, rows: pd.DataFrame, free: str = "") -> str:
    """The title, with what the rows share that differs from the default setting."""
    usual: dict[str, Any] = {"cpu_scale": 1.0} | Setting().columns()
    told: list[str] = []
    for column in (*SETTING, *LATER):
        values = list(rows[column].unique()) if column in rows and column != free else []
        if len(values) == 1 and not pd.isna(values[0]) and values[0] != usual.get(column):
            value = f"{values[0]:g}" if is_number(values[0]) else short(str(values[0]))
            told.append(f"{column.replace('_', '-')} {value}")
    return f"{title} ({', '.join(told)})" if told else title


def lines_of(rows: pd.DataFrame, figures: Sequence[str]) -> dict[Line, list[Line]]:
    """The runs to draw, each with those that it stands for.

    Where they are more than MANY, an allocator whose `figures` are all about those of another one, in every trace and
    operation, is drawn with it.
    """
    table = rows.pivot_table(
        index=["compressor", "frontend", "allocator"], columns=["trace", "operation"], values=list(figures), sort=False
    )
    of = dict(zip(table.index, table.to_numpy(), strict=True))
    found: dict[Line, list[Line]] = {line: [] for line in of}
    firsts: dict[tuple[str, str], list[Line]] = {}
    for line in list(found) if len(found) > MANY else ():
        for first in (known := firsts.setdefault(line[:2], [])):
            if (abs(of[line] - of[first]) <= ALIKE * of[first]).all():
                del found[line]
                found[first].append(line)
                break
        else:
            known.append(line)
    return found


def alike_text(lines: dict[Line, list[Line]], what: str) -> str:
    """Who stands for whom, and what of them is alike."""
    names = named(line[2] for one, others in lines.items() for line in (one, *others))
    told = [
        f"{short(line[0])}, {names[line[2]]}: also {', '.join(names[other[2]] for other in others)}"
        for line, others in lines.items()
        if others
    ]
    return f"drawn as one where {what} are within {ALIKE:.0%}: {'; '.join(told)}" if told else ""


def totals(latency: pd.DataFrame) -> pd.DataFrame:
    """Rows of whole operations."""
    return latency[latency["part"] == TOTAL]


def scaled(text: str, log: bool, other_log: bool = False) -> str:
    """The label of an axis, saying its scale where the picture has a logarithmic one."""
    if log:
        return f"{text} (logarithmic)"
    return f"{text} (linear)" if other_log else text
