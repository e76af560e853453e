"""Where a result comes from, as tables of a report; of a provenance that may lack anything."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sim.report.table import Cell, Table

MADE = {"made": "made", "python": "Python"}


def facts(about: Mapping[str, Any]) -> dict[str, str]:
    """When and on what it was made, by what it is called."""
    found = {word: str(about[name]) for name, word in MADE.items() if about.get(name)}
    machine = about.get("machine")
    if isinstance(machine, Mapping):
        found |= {str(name): str(value) for name, value in machine.items()}
    return found


def origin_tables(about: Mapping[str, Any]) -> Iterator[Table]:
    """The traces with their digests, codecs, and packages."""
    traces = _mapping(about.get("traces"))
    if traces:
        heads = ["trace", "digest", "page-outs", "page-ins", "frees"]
        yield Table("Traces", heads, [_trace(name, _mapping(told)) for name, told in traces.items()], 1)
    for key, title, head in (("codecs", "Codecs", "codec"), ("versions", "Versions", "package")):
        if told := _mapping(about.get(key)):
            yield Table(title, [head, "version"], [[Cell(str(n)), Cell(str(v))] for n, v in told.items()], 1)


def failed_table(about: Mapping[str, Any]) -> Table | None:
    """The combinations of a sweep that failed, each with its error in one line; None if none did."""
    told = about.get("failed")
    failed = [cell for cell in told if isinstance(cell, Mapping)] if isinstance(told, list) else []
    heads = list(dict.fromkeys(str(name) for cell in failed for name in cell if name not in ("cell", "error")))
    rows = [
        [*(_text(cell.get(name)) for name in heads), Cell(str(cell.get("error", "-")), words=True)] for cell in failed
    ]
    note = "To do them again: cswap sweep with --retry."
    return Table("Combinations that failed", [*heads, "error"], rows, len(heads), note) if rows else None


def _text(value: Any) -> Cell:
    return Cell("-" if value is None else str(value))


def experiment_lines(about: Mapping[str, Any]) -> list[str]:
    """The description of the experiment as lines of JSON; none if it is not told."""
    told = about.get("experiment")
    return json.dumps(told, indent=2, ensure_ascii=False).splitlines() if told else []


def _trace(name: object, told: Mapping[str, Any]) -> list[Cell]:
    events = _mapping(told.get("events"))
    counts = [f"{events[kind]:,}" if isinstance(events.get(kind), int) else "-" for kind in ("out", "in", "free")]
    return [Cell(str(text)) for text in (name, told.get("digest", "-"), *counts)]


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}
