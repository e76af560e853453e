"""`cswap import`: imports files from elsewhere as traces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Import files from elsewhere as a trace.")


@app.callback()
def formats() -> None:
    """Import files from elsewhere as a trace."""


@app.command("csv")
def csv_(
    events: Annotated[Path, typer.Argument(metavar="EVENTS", help="CSV of ts_ns,kind,pid,slot,page; or .gz, .zst.")],
    pages: Annotated[Path, typer.Option(help="The pages, concatenated; plain, .gz or .zst.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder NAME.cswap to create.")],
    name: Annotated[str | None, typer.Option(help="The name of the trace; by default that of the folder.")] = None,
    page_size: Annotated[int, typer.Option(help="Bytes in a page.")] = 4096,
) -> None:
    """Import events as CSV, with raw pages."""
    from sim.cli.output import print_line
    from sim.cli.progress import progress
    from workloads.readers.csv import Csv

    with progress(f"importing {events.name}") as done:
        trace = Csv(str(pages), page_size).read(events, out, name, done)
    print_line(f"{out}: {trace.n_events} events, {trace.unique_pages} unique pages")
