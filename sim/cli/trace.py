"""`cswap trace`: traces inspected, checked, and stripped of their contents."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from workloads import Sizes, Trace

app = typer.Typer(no_args_is_help=True, help="Inspect, check and strip traces.")

TraceText = Annotated[
    str, typer.Argument(metavar="TRACE", help="A folder NAME.cswap, a shipped sample, or a generator spec.")
]


@app.command()
def info(
    trace: TraceText,
    json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """Tell what is in a trace, without reading it."""
    from sim.cli.output import print_json, print_table
    from sim.inputs import open_input
    from workloads import info as describe

    facts = describe(open_input(trace))
    if json:
        print_json(facts)
        return
    source = facts.pop("source")
    facts |= {f"source: {key}": value for key, value in source.items()}
    print_table(trace, ({"field": key, "value": _shown(value)} for key, value in facts.items()))


@app.command()
def verify(trace: TraceText) -> None:
    """Check every row and every byte of a trace on disk."""
    from sim.cli.progress import progress
    from sim.errors import UserError
    from sim.inputs import open_input
    from workloads import verify as check

    opened = open_input(trace)
    if opened.path is None:
        raise UserError(f"{trace}: is generated anew each time, there is nothing to verify; give a folder NAME.cswap")
    with progress(f"verifying {trace}") as done:
        check(opened.path, done)
    print(f"{trace}: ok, {opened.n_events} events, {opened.unique_pages} unique pages")


@app.command()
def strip(
    trace: TraceText,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="NEW", help="By default NAME-stripped.cswap, here.")
    ] = None,
    compressor: Annotated[
        list[str] | None, typer.Option("-c", "--compressor", metavar="CODEC", help="By default every one there is.")
    ] = None,
    keep_source: Annotated[
        bool, typer.Option("--keep-source", help="Keep the command line and all else that is said of the origin.")
    ] = False,
) -> None:
    """Copy a trace without its contents, so that it can be shared: events, and the sizes of every codec."""
    from sim.cli.progress import progress
    from sim.inputs import open_input
    from workloads import strip_trace
    from workloads.writer import check_new

    opened = open_input(trace)
    new = check_new(out or f"{opened.name}-stripped.cswap")  # told before the work is done, not after it
    sizes = _sizes(opened, compressor)
    with progress(f"writing {new}") as done:
        stripped = strip_trace(opened, new, sizes, keep_source=keep_source, progress=done)
    print(f"{new}: {stripped.n_events} events, {stripped.unique_pages} unique pages, no contents")
    print(f"sizes of: {', '.join(stripped.sizes_codecs())}")
    gone = [key for key in opened.source if key not in stripped.source]
    print(f"of the source kept: {', '.join(stripped.source) or 'nothing'}; left out: {', '.join(gone) or 'nothing'}")


def _sizes(trace: Trace, specs: list[str] | None) -> dict[str, Sizes]:
    """The sizes of some codecs, by default of all; nothing is written beside the trace."""
    from sim.cli.progress import progress
    from sim.compressors.registry import COMPRESSORS, compressor
    from sim.sizing import size_pages

    if specs is None and not trace.content:
        known = {codec: trace.sizes(codec) for codec in trace.sizes_codecs()}
        return {codec: table for codec, table in known.items() if table is not None}
    sizes = {}
    for codec in [compressor(spec) for spec in specs or COMPRESSORS]:
        with progress(f"{codec.spec} on {trace.name}") as done:
            table = size_pages(trace, codec, progress=done, keep=False)
        sizes[table.meta["codec"]] = table
    return sizes


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "unknown" if value is None else str(value)
