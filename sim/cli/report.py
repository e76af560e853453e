"""`cswap report`: a result as one page of HTML."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder that `cswap run --out` or `cswap sweep` wrote.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="The page.")] = Path("report.html"),
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is no report.")] = False,
) -> None:
    """Write a result as one page of HTML that needs no other file: words, tables, pictures, provenance."""
    from sim.cli.output import print_line
    from sim.cli.progress import progress
    from sim.report import page, write_page
    from sim.report.writing import check_place
    from sim.results.result import Result

    check_place(out, force)  # reported before the work is done, not after it
    result = Result.load(folder)
    with progress("drawing") as drawn:
        text = page(result, folder.resolve().name, drawn)
    written = write_page(text, out, force=force)
    print_line(f"written to {out}: {written.stat().st_size / 1e6:.1f} MB, which need no other file")
