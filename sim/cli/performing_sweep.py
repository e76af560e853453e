"""Sweeping for the command line: progress, and what an interrupt leaves."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.errors import UserError
    from sim.experiment.description import Experiment
    from sim.results.result import Result


def perform_sweep(experiment: Experiment, out: Path, dask: str | None = None, **settings: Any) -> Result:
    """Sweep it with a progress bar, by the Dask cluster of a scheduler if one is given."""
    from sim.cli.progress import progress
    from sim.interrupts import besides
    from sim.sweep.sweeping import Interrupted, sweep

    with ExitStack() as bar, ExitStack() as cluster:

        def report(stage: str) -> Any:
            bar.close()  # one bar at a time
            return bar.enter_context(progress(stage))

        try:
            if dask:
                from sim.sweep.dask import dask_executor

                settings["executor"] = cluster.enter_context(dask_executor(dask))
            return sweep(experiment, out, report=report, **settings)
        except Interrupted as error:
            besides(f"{error.kept} of {error.of} cells are kept, and the same command goes on from there")
            raise


def draw(result: Result, folder: Path) -> UserError | None:
    """Draw the pictures of a result that has none yet; what was wrong."""
    from sim.errors import UserError

    if any(folder.glob("*.png")):
        return None
    try:
        result.save_plots(folder)
    except UserError as error:
        return UserError(f"{error}; everything else is written")
    return None
