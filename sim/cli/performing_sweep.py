"""Sweeping for the command line: progress, and what an interrupt leaves."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.experiment.description import Experiment
    from sim.results.result import Result


def perform_sweep(experiment: Experiment, out: Path, **settings: Any) -> tuple[Result, list[dict[str, Any]]]:
    """Sweep it with a progress bar, and draw the pictures; the result, and the rows of all cells."""
    from sim.cli.progress import progress
    from sim.interrupts import besides
    from sim.results.saving import RESULT
    from sim.sweep.joining import read_table
    from sim.sweep.sweeping import Interrupted, sweep

    with ExitStack() as bar:

        def report(stage: str) -> Any:
            bar.close()  # one bar at a time
            return bar.enter_context(progress(stage))

        try:
            result = sweep(experiment, out, report=report, **settings)
        except Interrupted as error:
            besides(f"{error.kept} of {error.of} cells are kept, and the same command goes on from there")
            raise
    result.save_plots(out / RESULT)
    return result, read_table(out)
