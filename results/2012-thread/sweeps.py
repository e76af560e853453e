"""The runs of the study, all of them sweeps: what is kept in the folder is not repeated."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sim.experiment.description import Experiment
from sim.experiment.preparation import Report
from sim.results.result import Result
from sim.sweep import sweep

HERE = Path(__file__).parent
ORDER1 = ("order1-gcc", "order1-pandas", "order1-redis", "order1-node")
NAMES = ("density", "churned", *ORDER1, "zram", "mapping", "sensitivity", "worth")


def run(names: Iterable[str], folder: Path, report: Report) -> dict[str, Result]:
    """Do the sweeps of these names, each in a folder of its own."""
    return {name: sweep(Experiment.from_toml(HERE / f"{name}.toml"), folder / name, report=report) for name in names}
