"""The runs of the study, all of them sweeps: what is kept in the folder is not repeated."""

from __future__ import annotations

from pathlib import Path

from sim.cli.progress import status_line
from sim.experiment.description import Experiment
from sim.experiment.preparation import Report
from sim.results.result import Result
from sim.sweep import sweep

HERE = Path(__file__).parent
ORDER1 = ("order1-gcc", "order1-pandas", "order1-redis", "order1-node")
NAMES = ("density", "churned", *ORDER1, "zram", "mapping", "sensitivity", "worth")


def run(folder: Path) -> dict[str, Result]:
    """Do all of them, each in a folder of its own; progress goes to stderr."""
    with status_line() as say:

        def report(name: str) -> Report:
            return lambda stage: lambda done, total: say(f"{name}: {stage} {done:,} of {total:,}")

        return {
            name: sweep(Experiment.from_toml(HERE / f"{name}.toml"), folder / name, report=report(name))
            for name in NAMES
        }
