"""`cswap list`: what there is."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Annotated, Any

import typer

Row = dict[str, Any]

# Given by the trace, not by a spec.
OF_THE_TRACE = {"page_size", "zone"}


def list_(
    json: Annotated[bool, typer.Option("--json", help="JSON instead of tables.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="CSV instead of tables.")] = False,
) -> None:
    """List allocators, compressors, frontends, samples and generators, with their parameters; mappings and devices."""
    from sim.cli.output import print_csv, print_json, print_table

    kinds = {
        "allocators": list(_allocators()),
        "compressors": list(_compressors()),
        "frontends": list(_frontends()),
        "samples": list(_samples()),
        "generators": list(_generators()),
        "mappings": list(_mappings()),
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


def _allocators() -> Iterator[Row]:
    from allocators import allocator_class, names

    for name in names():
        yield _row(name, allocator_class(name))


def _compressors() -> Iterator[Row]:
    from sim.compressors.registry import COMPRESSORS

    for name, cls in COMPRESSORS.items():
        yield _row(name, cls)


def _frontends() -> Iterator[Row]:
    from sim.frontends.registry import FRONTENDS, frontend_class

    for name in FRONTENDS:
        yield _row(name, frontend_class(name))


def _samples() -> Iterator[Row]:
    from workloads import open_sample, sample_names

    for name in sample_names():
        trace = open_sample(name)
        about = f"{trace.n_events} events, {trace.unique_pages} unique pages of {trace.page_size} bytes"
        yield {"name": name, "parameters": {}, "about": about}


def _generators() -> Iterator[Row]:
    from workloads import GENERATORS

    for name, cls in GENERATORS.items():
        yield _row(name, cls, hidden=set())


def _mappings() -> Iterator[Row]:
    from sim.timing.mapping import MAPPINGS

    for name, cls in MAPPINGS.items():
        yield _row(name, cls)


def _devices() -> Iterator[Row]:
    from sim.timing.devices import device_profiles

    for name, device in device_profiles().items():
        about = f"{device.queue_depth} at once, a read takes {device.read.mean_us:.0f} us in the mean; {device.source}"
        yield {"name": name, "parameters": {}, "about": about}


def _row(name: str, cls: type, hidden: set[str] = OF_THE_TRACE) -> Row:
    """A class: its parameters with their defaults, and the first line of its docstring."""
    from sim.parameters import parameters

    known = {p.name: p for p in parameters(cls).values() if p.kinds and p.name not in hidden}
    defaults = {p.name: None if p.required else p.default for p in known.values()}
    about = (inspect.getdoc(cls) or "").partition("\n")[0]
    return {"name": name, "parameters": defaults, "about": about}


def _settings(row: Row) -> str:
    return ", ".join(f"{key}={'none' if value is None else value}" for key, value in row["parameters"].items())
