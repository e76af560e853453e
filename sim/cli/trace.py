"""`cswap trace`: traces inspected, checked and copied in part."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sim.cli import copies, dictionary, trace_info, trace_time
from sim.cli.options import TraceText

app = typer.Typer(no_args_is_help=True, help="Inspect, check, copy, time and recover traces.")


app.command("info")(trace_info.info)


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
