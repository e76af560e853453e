"""Where in an experiment's file something is wrong: looked for once it is known that something is."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sim.errors import USER_ERRORS, UserError, one_line
from sim.experiment.description import PARTS, Experiment, read_table

# What entries are tried with, each alone.
SMALL: dict[str, Any] = {"traces": ["uniform:events=1,slots=1"], "compressors": ["lz4"], "allocators": ["zbud"]}
MACHINE = {"ram": "2M", "recorded": "1M"}
ENTRIES = ("traces", "frontends", "compressors", "allocators")
OF_PARTS = {"machine": ("policy", "policy_from"), "timing": ("mappings", "swap_devices", "costs", "codec_costs")}


class Placed(UserError):
    """An error that names the experiment's file, and the entry that is wrong."""


@contextmanager
def placed(file: Path | None, settings: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Name the file of an experiment in errors of its own; those of `settings`, which win over it, pass as they are."""
    try:
        yield
    except (Placed, BrokenPipeError):
        raise
    except USER_ERRORS as error:
        told = one_line(error)
        if file is None or told.startswith(f"{file}: ") or (place := _place(file, settings or {}, told)) is None:
            raise
        raise Placed(": ".join([str(file), *place, told])) from error


def _place(file: Path, settings: Mapping[str, Any], told: str) -> list[str] | None:
    """The entry for which the same is told when it is tried alone; none for the whole file; None for neither."""
    try:
        table = _without(read_table(file), settings)
    except USER_ERRORS:  # another file now
        return None
    by_key = told.startswith(tuple(f"{name}: " for name in ("experiment", *PARTS)))
    for key, number, alone in () if by_key else _entries(table):
        if _wrong(alone) == told:
            return [f"{key}, entry {number}" if number else key]
    return [] if _wrong(table) == told else None


def _without(table: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the file says and no setting wins over."""
    left = {name: value for name, value in table.items() if name not in settings or name in PARTS}
    return left | {
        name: {key: value for key, value in left[name].items() if key not in settings[name]}
        for name in PARTS
        if isinstance(left.get(name), Mapping) and isinstance(settings.get(name), Mapping)
    }


def _entries(table: Mapping[str, Any]) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Every entry: its key, its number in a list from 1 on, and an experiment of which it is all."""
    sizes = {"page_sizes": table["page_sizes"]} if "page_sizes" in table else {}
    for key in ENTRIES:
        for number, entry in _numbered(table.get(key, [])):
            yield key, number, {**SMALL, **(sizes if key == "traces" else {}), key: [entry]}
    for part, names in OF_PARTS.items():
        given: Any = table.get(part)
        for key in names if isinstance(given, Mapping) else ():
            for number, entry in _numbered(given.get(key, [])):
                own = {key: entry if key == "policy_from" else [entry]}
                yield f"{part}.{key}", number, SMALL | {part: own | (MACHINE if part == "machine" else {})}


def _numbered(value: Any) -> Iterator[tuple[int, Any]]:
    return enumerate(value, 1) if isinstance(value, list) else iter([(0, value)])


def _wrong(table: Mapping[str, Any]) -> str:
    """What is told of an experiment before it begins; empty if nothing is wrong with it."""
    from sim.experiment.preparation import models_of, traces_of
    from sim.plugins import make_allocator

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            experiment = Experiment(**table)
            models = models_of(experiment)
            machines, small = [], []
            for trace in traces_of(experiment)[1]:
                for allocator in models.allocators:
                    make_allocator(allocator, trace.page_size)
                fitting, others = experiment.machine.of(trace)
                machines += fitting
                small += others
            return "" if machines else one_line(small[0])
        except USER_ERRORS as error:
            return one_line(error)
