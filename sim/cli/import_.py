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
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder NAME.cswap to create.")],
    events: Annotated[
        Path | None,
        typer.Argument(
            metavar="[EVENTS]", help="CSV with the columns kind,slot,page and perhaps ts_ns,pid; or .gz, .zst."
        ),
    ] = None,
    pages: Annotated[
        Path | None,
        typer.Option(help="The pages, concatenated; plain, .gz or .zst. Without them EVENTS has a column size."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="The name of the trace; by default that of the folder.")] = None,
    page_size: Annotated[str, typer.Option(metavar="SIZE", help="Bytes in a page.")] = "4096",
) -> None:
    """Import events as CSV, with raw pages or their compressed sizes; or raw pages alone, paged out in order."""
    from sim.cli.output import print_line
    from sim.cli.progress import progress
    from sim.cli.size import page_size_of
    from sim.errors import UserError
    from workloads.readers.csv import Csv
    from workloads.readers.dump import Dump

    file = events or pages
    if file is None:
        raise UserError("there is nothing to import; give EVENTS, or the pages alone with --pages, or both")
    size = page_size_of(page_size)
    reader = Dump(size) if events is None else Csv(None if pages is None else str(pages), size)
    with progress(f"importing {file.name}") as done:
        trace = reader.read(file, out, name, done)
    print_line(f"{out}: {trace.n_events} events, {trace.unique_pages} unique pages")
    if trace.original_slots() is not None:
        print_line(f"slots: sparse, numbered 0 to {trace.n_slots - 1}; what they were called is in slots.parquet")
    if not trace.content:
        print_line("no contents: it replays by its sizes, as codec given")
