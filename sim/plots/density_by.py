"""Density against a number that is swept, such as zsmalloc's chain: lines on an axis of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.errors import UserError
from sim.plots.density import IDEAL, say_small, smallness
from sim.plots.latency import scaled
from sim.plots.left_out import left_out
from sim.plots.names import family_of
from sim.plots.panels import MOST_PANELS, PANEL, SMALL, Panels, flow, label
from sim.plots.style import by_sweep, codec_colour, colour, compressed, in_order, looks, plainly, short
from sim.timing.latency import MACHINE, MEMORY
from workloads.shown import shown

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from sim.plots.panels import Drawn
    from sim.plots.style import Look

COLUMNS = 3  # panels side by side
FEWEST = 3  # values that make a line
WIDE = 30  # times the least value: a range for a logarithmic axis
SPECS = ("allocator", "compressor", "frontend")
WHOLE = "memory"  # what is swept for all runs alike


def swept(density: pd.DataFrame) -> dict[str, str]:
    """The columns of numbers that have three or more values, each with what they are of.

    That is, of one allocator, compressor or frontend, or of the memory of all.
    """
    from pandas.api.types import is_numeric_dtype

    found: dict[str, str] = {}
    columns = [name for name in _parameters(density) if is_numeric_dtype(density[name])]
    for kind in SPECS if columns else ():
        families = density[kind].map(family_of)
        for column in columns:
            mine = column.startswith(f"{kind}_") or (kind == "allocator" and not column.startswith(SPECS[1:]))
            if mine and density[column].groupby(families).nunique().max() >= FEWEST:
                found[column] = kind
    memory = [name for name in MEMORY if name not in MACHINE and name in density and density[name].nunique() >= FEWEST]
    return found | dict.fromkeys(memory, WHOLE)


def _parameters(density: pd.DataFrame) -> list[str]:
    """The columns of parameters (`sim.results.parameters`); none of a result from before there were any."""
    names = list(density.columns)
    if not {"allocator_name", "density", *SPECS} <= set(names):
        return []
    return names[names.index("allocator_name") + 1 : names.index("density")]


@plainly
def plot_density_by(
    density: pd.DataFrame, parameter: str, *, ax: Any = None, title: str | None = None, note: str = ""
) -> Drawn:
    """A panel per trace, a line per compressor; or one per trace and compressor, a line per allocator.

    The latter where there are several allocators besides the values of `parameter`, a column of numbers. Dashed is the
    ideal. `ax` are the axes to draw on, as many as there are panels. Raises UserError for a column that does not vary.
    """
    known = swept(density) if len(density) else {}
    if parameter not in known:
        there = f"there are {', '.join(known)}" if known else "give three or more, as in -a zsmalloc:chain=4 ..."
        raise UserError(f"density by {parameter}: no allocator, compressor or frontend has several values; {there}")
    rows, everything = _points(density.reset_index(drop=True), parameter, known[parameter])
    panels = in_order(rows["panel"])[:MOST_PANELS]
    rows = rows[rows["panel"].isin(panels)]
    codecs = rows["line_of"].iloc[0] == "compressor"
    styles = looks(in_order(rows["line"]), lambda name: (codec_colour if codecs else colour)(name.split(" in ")[0]))
    log = bool(rows[parameter].min() > 0 and rows[parameter].max() > WIDE * rows[parameter].min())
    picture = Panels(*flow(len(panels), COLUMNS), 4.2, 3.4, ax)
    for axis in picture.grid.flat[len(panels) :]:
        axis.set_axis_off()
    for axis, panel in zip(picture.grid.flat, panels, strict=False):
        mine = rows[rows["panel"] == panel]
        axis.set_title(panel, fontsize=PANEL)
        if words := smallness(mine):
            say_small(axis, words)
            continue
        _draw(axis, mine, parameter, styles, codecs)
        if log:
            axis.set_xscale("log")
            axis.minorticks_off()
        _ticks(axis, mine[parameter])
        axis.set_xlabel(scaled(parameter.replace("_", " "), log))
    for axis in picture.grid[:, 0]:
        axis.set_ylabel(scaled("compressed pages per physical page", False, log), fontsize=SMALL)
    whose = "of the same colour: its" if codecs else "and black: the"
    caption = [
        f"at each trace's fullest moment, in {', '.join(map(short, in_order(rows['frontend'])))}; more is better",
        f"dashed {whose} ideal, stored without any loss",
        "points of pools too small to judge are left out" if "small" in rows and rows["small"].any() else "",
        left_out(everything, rows, ("trace", "frontend", "compressor", "allocator")),
        note,
    ]
    return picture.finish(
        f"Density against {parameter.replace('_', ' ')}", title, caption, _handles(rows, parameter, styles)
    )


def _points(density: pd.DataFrame, parameter: str, kind: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The runs that are points, with `panel`, `line` and what lines are in `line_of`; and all runs but the ideal's."""
    everything = by_sweep(density[density["allocator"] != IDEAL], without=parameter)
    rows = everything[everything[parameter].notna()]
    if kind != WHOLE:
        several = rows[parameter].groupby(rows[kind].map(family_of)).transform("nunique") > 1
        rows = rows[several]
        key = parameter.removeprefix(f"{kind}_")
        rows = rows.assign(**{kind: [_without(spec, (key, parameter)) for spec in rows[kind]]})
        # The specs without the parameter are what is told apart; those left out are named as they were given.
        everything = everything.assign(**{kind: everything[kind].mask(everything.index.isin(rows.index), rows[kind])})
    allocators, codecs = rows["allocator"].nunique() > 1, rows["compressor"].nunique() > 1
    line_of = "allocator" if allocators or not codecs else "compressor"
    panel = rows["trace"].map(shown)
    panel = panel + ", " + rows["compressor"].map(compressed) if allocators and codecs else panel
    line = rows[line_of] + " in " + rows["frontend"] if rows["frontend"].nunique() > 1 else rows[line_of]
    return rows.assign(panel=panel, line=line, line_of=line_of), everything


def _without(spec: str, keys: tuple[str, ...]) -> str:
    """The spec without a parameter."""
    name, _, rest = spec.partition(":")
    kept = [part for part in rest.split(",") if part and part.partition("=")[0] not in keys]
    return f"{name}:{','.join(kept)}" if kept else name


def _draw(axis: Axes, rows: pd.DataFrame, parameter: str, styles: dict[str, Look], codecs: bool) -> None:
    dashed: Any = {"linestyle": (0, (4, 3)), "linewidth": 1}
    for name, look in styles.items():
        one = rows[(rows["line"] == name) & ~_small(rows)].sort_values(parameter)
        values = one[parameter].astype(float)
        axis.plot(values, one["density"], **look._asdict(), linewidth=1.8, markersize=5, label=label(short(name)))
        if codecs:
            axis.plot(values, one["ideal_density"], color=look.color, **dashed)
    if not codecs:
        ideal = rows.groupby(parameter)["ideal_density"].max()
        axis.plot(ideal.index.astype(float), ideal, color="black", **dashed)
    axis.set_ylim(bottom=0)
    axis.grid(axis="y", alpha=0.25)


def _small(rows: pd.DataFrame) -> pd.Series[bool]:
    """Which of the rows are of a pool too small to judge, as far as that is known."""
    return rows["small"].astype(bool) if "small" in rows else rows["density"].isna()


def _ticks(axis: Axes, values: pd.Series[Any]) -> None:
    """Ticks at the values themselves, where they are few."""
    numbers = sorted(values.astype(float).unique())
    if len(numbers) <= 16:
        axis.set_xticks(numbers, [f"{number:g}" for number in numbers], fontsize=SMALL)


def _handles(rows: pd.DataFrame, parameter: str, styles: dict[str, Look]) -> list[Any]:
    """What the legend shows: no line for what is a single point in every panel."""
    from matplotlib.lines import Line2D

    points = rows.groupby(["panel", "line"], sort=False)[parameter].transform("nunique")
    lines = set(rows.loc[points > 1, "line"])
    return [
        Line2D(
            [], [], **(look if name in lines else look._replace(linestyle="none"))._asdict(), label=label(short(name))
        )
        for name, look in styles.items()
    ]
