"""`cswap list`: what there is."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sim.plugins import Registry

Row = dict[str, Any]


def list_(
    json: Annotated[bool, typer.Option("--json", help="JSON instead of tables.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="CSV instead of tables.")] = False,
) -> None:
    """List allocators, compressors, frontends (and which kernel has which era), recordings, samples, generators,
    recipes and what they consist of, readers, mappings and devices.
    """
    from sim import plugins
    from sim.cli.output import print_csv, print_json, print_table

    kinds = {
        "allocators": list(_classes(plugins.ALLOCATORS, {"page_size", "zone"})),  # those two are given by the run
        "compressors": list(_classes(plugins.COMPRESSORS)),
        "frontends": list(_classes(plugins.FRONTENDS)),
        "releases": [row for family in (plugins.ALLOCATORS, plugins.FRONTENDS) for row in _releases(family)],
        "recordings": list(_shipped(content=False)),
        "samples": list(_shipped(content=True)),
        "generators": list(_classes(plugins.GENERATORS)),
        "recipes": list(_recipes()),
        "patterns": list(_tables("patterns")),
        "contents": list(_tables("contents")),
        "readers": list(_classes(plugins.READERS)),
        "mappings": list(_classes(plugins.MAPPINGS)),
        "devices": list(_devices()),
    }
    if json:
        print_json(kinds)
    elif csv:
        rows = [{"kind": kind[:-1], **row} for kind, members in kinds.items() for row in members]
        print_csv([{**row, "parameters": _settings(row)} for row in rows])
    else:
        for kind, members in kinds.items():
            print_table(kind, ({**row, "parameters": _settings(row)} for row in members))


def _shipped(content: bool) -> Iterator[Row]:
    from sim.experiment.inputs import shipped

    for name, opened in shipped().items():
        trace = opened()
        if trace.content != content:
            continue
        about = f"{trace.n_events} events, {trace.unique_pages} unique pages of {trace.page_size} bytes"
        about += "" if content else f"; sizes by {', '.join(trace.sizes_codecs())}"
        yield {"name": name, "parameters": {}, "about": about}


def _recipes() -> Iterator[Row]:
    from workloads.generators.recipe import Recipe, recipe_names

    for name in recipe_names():
        yield {"name": name, "parameters": {}, "about": Recipe(file=name).described.totals.about}


def _tables(part: str) -> Iterator[Row]:
    """The kinds of a part of recipes: their keys with defaults, and the first line of the docstring."""
    from msgspec import NODEFAULT
    from msgspec.structs import fields

    from workloads.generators.contents import CONTENTS
    from workloads.generators.patterns import PATTERNS
    from workloads.generators.patterns.base import Pattern

    shared = Pattern.__struct_fields__
    for name, cls in (PATTERNS if part == "patterns" else CONTENTS).items():
        own = [field for field in fields(cls) if field.name not in shared]
        keys = {field.encode_name: None if field.default is NODEFAULT else field.default for field in own}
        yield {"name": name, "parameters": keys, "about": (inspect.getdoc(cls) or "").partition("\n")[0]}


def _devices() -> Iterator[Row]:
    from sim.timing.devices import device_profiles

    for name, device in device_profiles().items():
        about = f"{device.queue_depth} at once, a read takes {device.read.mean_us:.0f} us on average; {device.source}"
        yield {"name": name, "parameters": {}, "about": about}


def _classes(registry: Registry[Any], hidden: Collection[str] = ()) -> Iterator[Row]:
    """The classes of a family: parameters with their defaults, and the first line of the docstring."""
    from sim.parameters import parameters

    for name in registry.names():
        cls = registry.find(name)
        known = {p.name: p for p in parameters(cls).values() if p.kinds and p.name not in hidden}
        defaults = {p.name: None if p.required else p.default for p in known.values()}
        if not any(p.required for p in parameters(cls).values()):  # what a default of None comes to
            made = registry.make(name)
            defaults |= {key: getattr(made, key, None) for key, value in defaults.items() if value is None}
        yield {"name": name, "parameters": defaults, "about": (inspect.getdoc(cls) or "").partition("\n")[0]}


def _releases(registry: Registry[Any]) -> Iterator[Row]:
    """The eras of a family's classes, a row for each run of releases."""
    for name in registry.names():
        for span in registry.find(name).releases:
            about = f"Linux {span}" + (f"; nearest, but {span.differs}" if span.differs else "")
            yield {"name": name, "parameters": {"era": span.era}, "about": about}


def _settings(row: Row) -> str:
    """What is not given by default stands without a value."""
    return ", ".join(key if value is None else f"{key}={value}" for key, value in row["parameters"].items())
