"""`cswap trace info`: what a trace is, how its slots are used, what its pages hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from sim.cli.options import TraceText


def info(
    trace: TraceText,
    compressors: Annotated[
        list[str] | None,
        typer.Option(
            "-c",
            "--compressor",
            metavar="SPEC",
            help="Compress the pages with it, for sizes; may be given several times. Default: all sizes known already.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write frames (CSV) and pictures there, a new folder.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Also every field of the source, and more tasks.")] = False,
    json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Rows of field and value as CSV.")] = False,
) -> None:
    """Describe a trace: where it is from, slots over time, lifetimes, reuse, contents, compressed sizes, tasks."""
    from sim.analysis.analysis import Analysis
    from sim.analysis.facts import facts
    from sim.cli.output import print_csv, print_json, print_line, say, standard_output
    from sim.cli.progress import progress
    from sim.cli.trace_summary import summary
    from sim.errors import UserError
    from sim.experiment.inputs import open_input
    from sim.experiment.remarks import thrashed
    from workloads.limits import SLOTS, check_slots

    if json and csv:
        raise UserError("--json and --csv: give one of them")
    opened = open_input(trace)
    if out is not None or compressors:
        check_slots(opened.path or opened.name, opened.n_slots)
    analysis = Analysis(opened, compressors or (), progress=progress) if opened.n_slots <= SLOTS else None
    found = facts(opened, analysis)
    written = analysis.save(out) if analysis and out else []
    if json:
        print_json(found)
    elif csv:
        print_csv([{"field": field, "value": value} for field, value in flat(found)])
    else:
        lines = summary(found, None if analysis is None else analysis.df_live(), full=full)
        with standard_output():
            for line in (*lines, *(["", *map(str, written)] if written else [])):
                print_line(line)
    for line in thrashed(opened):
        say(f"warning: {line}")


def flat(value: Any, field: str = "") -> Iterator[tuple[str, Any]]:
    """All numbers and texts in nested mappings and lists, with dots between keys; None as nothing."""
    if isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in parts:
            yield from flat(part, f"{field}.{key}" if field else str(key))
    else:
        yield field, value
