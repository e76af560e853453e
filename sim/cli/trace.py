"""`cswap trace`: traces inspected, checked and copied in part."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sim.cli import copies, dictionary, trace_time
from sim.cli.options import TraceText

app = typer.Typer(no_args_is_help=True, help="Inspect, check, copy, time and recover traces.")


@app.command()
def info(
    trace: TraceText,
    json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """Show the header of a trace."""
    from sim.cli.output import print_json, print_table
    from sim.experiment.inputs import open_input
    from sim.sizing.retaken import spreads
    from workloads import info as describe

    opened = open_input(trace)
    facts = describe(opened)
    source = facts.pop("source")
    spread = spreads(opened)
    facts |= {"codec_times": {codec: found.row() for codec, found in spread.items()}, "source": source}
    if json:
        print_json(facts)
        return
    reads = facts["in"]
    for key, told in (("in_never_written", "page-ins of slots never written"), ("in_freed", "page-ins of freed slots")):
        count = facts.pop(key)
        facts[told] = f"{count:,} ({count / reads:.2%})" if count else count
    del facts["codec_times"], facts["source"]
    facts |= {f"codec times: {codec}": found for codec, found in spread.items()}
    for key, value in source.items():
        parts = {f"{key}: {name}": part for name, part in value.items()} if isinstance(value, dict) else {key: value}
        facts |= {f"source: {name}": part for name, part in parts.items()}
    print_table(trace, ({"field": key, "value": _shown(value)} for key, value in facts.items()))


@app.command()
def verify(trace: TraceText) -> None:
    """Check every row and byte of a trace on disk; with contents, also its sizes."""
    from sim.cli.output import print_line
    from sim.cli.progress import progress
    from sim.errors import UserError
    from sim.experiment.inputs import open_input
    from sim.sizing.verification import verify_sizes
    from workloads import verify as check

    opened = open_input(trace)
    if opened.path is None:
        raise UserError(f"{trace}: is generated each time, so there is nothing to verify; give a folder NAME.cswap")
    with progress(f"verifying {trace}") as done:
        check(opened.path, done)
    for codec, why in verify_sizes(opened, progress).items():
        print_line(f"{trace}: sizes of {codec!r} not compared: {why}")
    print_line(f"{trace}: ok, {opened.n_events} events, {opened.unique_pages} unique pages")


app.command("sample")(copies.sample)
app.command("strip")(copies.strip)
app.command("time")(trace_time.time)
app.command("dictionary")(dictionary.dictionary)


@app.command()
def recover(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The trace that a killed `cswap record` was writing.")],
) -> None:
    """Recover a trace from the complete segments of a killed recorder."""
    from sim.cli.output import print_line
    from sim.cli.progress import progress
    from workloads.recorder.segments import recover as rescue

    with progress(f"recovering {out}") as done:
        trace = rescue(out, done)
    found = trace.source["recovered"]
    print_line(f"{out}: {found['segments']} segments, {found['damaged']} damaged; {trace.n_events} events")


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "unknown" if value is None else str(value)
