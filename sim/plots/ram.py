"""Swapping against the size of RAM: page-ins and time lost, what compressed swap is worth, and who holds the memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import UserError
from sim.plots.curves import MIB, Curves, ways, worth
from sim.plots.left_out import listed
from sim.plots.panels import MOST_PANELS, PANEL, SMALL, Panels, label
from sim.plots.style import DASHES, MARKERS, Look, codec_colour, colour, looks, plainly
from sim.ram.meter import BASELINE
from workloads.shown import shown

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from sim.plots.panels import Drawn

WORDS = {"page_ins": "page-ins", "time_lost_s": "seconds lost", "time_lost_share": "share of the time lost"}
SHARED = {"ram": "RAM that program and pool share, MiB", "limit": "memory of the program alone, MiB"}
STACK = {"program": "#56B4E9", "pool": "#D55E00", "free": "#EEEEEE"}
HATCHES = {"program": "", "pool": "///", "free": ""}
MOST_STACKS = 9
Stack = tuple[str, str, int]  # trace, way of swapping, bytes of RAM


@plainly
def plot_ram(
    given: Sequence[Curves], live: Any = None, *, ax: Any = None, title: str | None = None, note: str = ""
) -> Drawn:
    """A row of panels per trace, a panel per measure; a line per way of swapping, black for the swap device alone.

    `live`: a frame of measured points; columns trace, way, `ram` or `limit`, and measures. `ax` are the axes to draw
    on, as many as there are panels.
    """
    picture, styles = _grid(given, ax), _styles(given)
    for axis, curve in _panels(picture, given):
        _draw(axis, curve, curve.of, curve.device, styles)
        axis.set_ylim(bottom=0)
        axis.set_ylabel(WORDS[curve.measure])
        axis.set_title(f"{shown(curve.trace)}: {WORDS[curve.measure]}", fontsize=PANEL)
        if live is not None:
            _points(axis, live[live["trace"] == curve.trace], curve, styles)
    points = "hollow: measured on a live kernel" if live is not None and len(live) else ""
    caption = [f"dotted black: nothing but a swap device{'; ' + points if points else ''}", note]
    return picture.finish("Swapping against the size of RAM", title, caption, _handles(styles))


@plainly
def plot_worth(given: Sequence[Curves], *, ax: Any = None, title: str | None = None, note: str = "") -> Drawn:
    """A row of panels per trace, a panel per measure; MiB that a swap device alone needs more, by size."""
    given = [one for one in given if len(one.device)]
    picture, styles = _grid(given, ax), _styles(given)
    for axis, curve in _panels(picture, given):
        _draw(axis, curve, worth(curve).where(curve.of > 0), None, styles)
        axis.axhline(0, color="black", linewidth=0.8)
        axis.set_ylabel("worth, MiB")
        axis.set_title(f"{shown(curve.trace)}: for equal {WORDS[curve.measure]}", fontsize=PANEL)
    caption = ["how much more RAM nothing but a swap device needs; below 0 it needs less", note]
    return picture.finish("What compressed swap is worth in RAM", title, caption, _handles(styles)[:-1])


@plainly
def plot_memory(
    timeline: pd.DataFrame, page_size: int = 4096, *, ax: Any = None, title: str | None = None, note: str = ""
) -> Drawn:
    """A panel per trace, way and size: pages of the program, of the pool, and free ones, over time."""
    from matplotlib.patches import Patch

    if "ram" not in timeline or "program" not in timeline or not timeline["ram"].notna().any():
        raise UserError("no runs on machines of a size that program and pool share; give --ram")
    rows = timeline[timeline["ram"].notna()]
    rows = rows.assign(way=ways(rows))
    groups = rows.groupby(["trace", "way", "ram"], sort=False)
    everything: dict[Stack, pd.DataFrame] = {(str(t), str(w), int(str(size))): one for (t, w, size), one in groups}
    chosen = _spread(list(everything))
    columns = min(3, len(chosen))
    picture = Panels(-(-len(chosen) // columns), columns, 4.2, 3.0, ax)
    for axis in picture.grid.flat[len(chosen) :]:
        axis.set_axis_off()
    for axis, key in zip(picture.grid.flat, chosen, strict=False):
        _stack(axis, everything[key], key[2], page_size)
        axis.set_title(_told(key), fontsize=PANEL)
    for axis in picture.grid[:, 0]:
        axis.set_ylabel("MiB")
    gone = [_told(key) for key in everything if key not in chosen]
    caption = [f"not shown here: {listed(gone, '; ')}" if gone else "", note]
    handles = [Patch(facecolor=STACK[name], hatch=HATCHES[name], edgecolor="white", label=name) for name in STACK]
    return picture.finish("Who holds the memory", title, caption, handles)


def _order(given: Sequence[Curves]) -> tuple[list[str], list[str]]:
    """Traces, as many as can be drawn, and measures."""
    measures = list(dict.fromkeys(one.measure for one in given))
    return list(dict.fromkeys(one.trace for one in given))[: MOST_PANELS // max(1, len(measures))], measures


def _grid(given: Sequence[Curves], ax: Any) -> Panels:
    """A row per trace, a column per measure."""
    if not given:
        raise UserError("no runs on machines of other sizes; give --ram or --limit")
    traces, measures = _order(given)
    return Panels(len(traces), len(measures), 5.0, 3.6, ax)


def _panels(picture: Panels, given: Sequence[Curves]) -> Iterator[tuple[Axes, Curves]]:
    """Each curve with its axes; those without one are switched off."""
    traces, measures = _order(given)
    known = {(one.trace, one.measure): one for one in given}
    for axis, key in zip(picture.grid.flat, product(traces, measures), strict=True):
        if key in known:
            yield axis, known[key]
        else:
            axis.set_axis_off()


def _styles(given: Sequence[Curves]) -> dict[str, Look]:
    """A look for each way: coloured by allocator if there are several, dashed by codec and frontend; or by codec."""
    ways = {str(way): one.parts[str(way)] for one in given for way in one.of}
    several = len({allocator for _, _, allocator in ways.values()}) > 1
    bases = {way: parts[2] if several else parts[1] for way, parts in ways.items()}
    colours = looks(dict.fromkeys(bases.values()), colour if several else codec_colour)
    rests = list(dict.fromkeys(parts[:2] if several else parts[::2] for parts in ways.values()))
    return {
        way: Look(
            colours[bases[way]].color,
            DASHES[rests.index(parts[:2] if several else parts[::2]) % len(DASHES)],
            MARKERS[number % len(MARKERS)],
        )
        for number, (way, parts) in enumerate(ways.items())
    }


def _draw(axis: Axes, curve: Curves, table: pd.DataFrame, device: Any, styles: dict[str, Look]) -> None:
    from matplotlib.ticker import StrMethodFormatter

    for nth, way in enumerate(table):
        thin = 1 - nth / len(table)  # where lines lie on each other, all are seen
        look = styles[str(way)]._asdict() | {"marker": styles[str(way)].marker if len(table) <= 30 else ""}
        axis.plot(
            table.index.to_numpy(float) / MIB, table[way], **look, linewidth=1.3 + 1.7 * thin, markersize=4 + 3 * thin
        )
    if device is not None and len(device):
        there = device[(device.index >= table.index.min()) & (device.index <= table.index.max())]
        axis.plot(there.index.to_numpy(float) / MIB, there, color="black", linestyle=":", linewidth=1.6)
    axis.set_xlabel(SHARED[curve.size], fontsize=SMALL)
    axis.grid(axis="y", alpha=0.25)
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_formatter(StrMethodFormatter("{x:,g}"))


def _points(axis: Axes, live: Any, curve: Curves, styles: dict[str, Look]) -> None:
    """What was measured, hollow, in the colour of the way it was measured with."""
    if curve.measure not in live or curve.size not in live:
        return
    for way, rows in live.groupby("way", sort=False):
        color = styles[str(way)].color if str(way) in styles else codec_colour(str(way).split()[0])
        at = rows[curve.size].to_numpy(float) / MIB
        axis.plot(at, rows[curve.measure], "o", markerfacecolor="none", markeredgecolor=color, markersize=8)


def _told(key: Stack) -> str:
    trace, way, size = key
    return f"{shown(trace)}, {shown(way)}, {size / MIB:g} MiB"


def _spread(keys: list[Stack]) -> list[Stack]:
    """At most `MOST_STACKS`: of each trace and way the smallest, the largest and a size between them."""
    groups: dict[tuple[str, str], list[Stack]] = {}
    for key in keys:
        groups.setdefault(key[:2], []).append(key)
    chosen: list[Stack] = []
    for members in groups.values():
        members.sort(key=lambda key: key[2])
        picks = sorted({0, len(members) // 2, len(members) - 1})
        chosen.extend(members[i] for i in picks)
    return chosen[:MOST_STACKS]


def _stack(axis: Axes, rows: pd.DataFrame, size: int, page_size: int) -> None:
    from matplotlib.ticker import MaxNLocator

    clock = "time_s" if "time_s" in rows and rows["time_s"].notna().all() else "event"
    pages = size // page_size
    pool = rows["pages"].to_numpy(float)
    program = np.minimum(rows["program"].to_numpy(float), pages - pool)
    parts = [np.maximum(program, 0), pool, np.maximum(pages - pool - program, 0)]
    drawn = axis.stackplot(
        rows[clock],
        [part * page_size / MIB for part in parts],
        colors=list(STACK.values()),
        edgecolor="white",
        linewidth=0,
    )
    for area, name in zip(drawn, STACK, strict=True):
        area.set_hatch(HATCHES[name])
    axis.set_ylim(0, size / MIB)
    axis.set_xlabel("seconds" if clock == "time_s" else "events")
    axis.xaxis.set_major_locator(MaxNLocator(5))


def _handles(styles: dict[str, Look]) -> list[Any]:
    from matplotlib.lines import Line2D

    device = Line2D([], [], color="black", linestyle=":", linewidth=1.6, label=f"swap {BASELINE} alone")
    return [*(Line2D([], [], **look._asdict(), label=label(name)) for name, look in styles.items()), device]
