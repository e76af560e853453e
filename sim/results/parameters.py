"""Parameters as columns of the `density` frame: what a spec says, and what it leaves at its default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.errors import USER_ERRORS
from sim.plots.names import family_of
from sim.spec import parse_spec

if TYPE_CHECKING:
    import pandas as pd

    from sim.plugins import Registry

PARAMETERS = "parameters"  # of a row: all arguments of its allocator
NAME = "allocator_name"


def with_parameters(density: pd.DataFrame) -> pd.DataFrame:
    """The frame with `allocator_name` and a column per parameter, behind the columns that tell runs apart.

    Every parameter of the allocators, defaults too: `chain`, `era`. Of compressors and frontends those that some spec
    gives: `compressor_level`, `frontend_mem_limit`. A parameter that has another column's name is `allocator_...`. What
    a run does not have is missing; a column holds numbers if all its values are numbers.
    """
    if density.empty:
        return density
    from sim.plugins import COMPRESSORS, FRONTENDS

    first: Any = density.columns.get_loc(PARAMETERS)
    given = list(density[PARAMETERS])
    density = density.drop(columns=PARAMETERS)
    values = {
        "allocator": given,
        "compressor": _of_specs(density["compressor"], COMPRESSORS),
        "frontend": _of_specs(density["frontend"], FRONTENDS),
    }
    added = {NAME: density["allocator"].map(family_of)}
    for kind, rows in values.items():
        for parameter in dict.fromkeys(key for row in rows for key in row):
            plain = kind == "allocator" and parameter not in density and parameter != NAME
            column = _column([row.get(parameter) for row in rows])
            added[parameter if plain else f"{kind}_{parameter}"] = column.set_axis(density.index)
    names = list(density.columns)
    return density.assign(**added)[[*names[:first], *added, *names[first:]]]


def _of_specs(specs: pd.Series[str], registry: Registry[Any]) -> list[dict[str, Any]]:
    """What each spec says, and what it leaves out that others of its name say."""
    given = {spec: _given(spec) for spec in specs.unique()}
    told = {}
    for spec, mine in given.items():
        keys = {key for other, settings in given.items() if family_of(other) == family_of(spec) for key in settings}
        known = registry.make(spec).arguments if keys - mine.keys() and family_of(spec) in registry.names() else {}
        told[spec] = mine | {key: known[key] for key in keys - mine.keys() if key in known}
    return [told[spec] for spec in specs]


def _given(spec: str) -> dict[str, Any]:
    try:
        return dict(parse_spec(spec)[1])
    except USER_ERRORS:  # sizes that are given with the trace may be called anything
        return {}


def _column(values: list[Any]) -> pd.Series[Any]:
    import pandas as pd

    there = [value for value in values if value is not None]
    if all(isinstance(value, int) and not isinstance(value, bool) for value in there):
        return pd.Series(values, dtype="Int64")
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in there):
        return pd.Series(values, dtype="Float64")
    return pd.Series([None if value is None else _text(value) for value in values], dtype="string")


def _text(value: Any) -> str:
    from allocators.configured import written

    return written(value)
