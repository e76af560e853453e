"""`cswap plot`: the plots of a result."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def plot(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder that `cswap run --out` or `cswap sweep --out` wrote.")
    ],
) -> None:
    """Redraw the plots of a result in its folder."""
    from sim.cli.output import print_line, standard_output
    from sim.results.result import Result
    from sim.results.saving import result_in

    folder = result_in(folder)
    result = Result.load(folder)
    written = result.save_plots(folder)
    with standard_output():
        for path in written:
            print_line(str(path))
