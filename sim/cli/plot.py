"""`cswap plot`: the pictures of a result."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def plot(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that `cswap run --out` wrote.")],
) -> None:
    """Draw the pictures of a result again, into its folder."""
    from sim.results import Result

    for path in Result.load(folder).save_plots(folder):
        print(path)
