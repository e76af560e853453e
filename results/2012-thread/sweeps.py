"""The runs of the study, all of them sweeps: what is kept in the folder is not repeated."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

from sim.cli.progress import progress
from sim.experiment.description import Experiment
from sim.results.result import Result
from sim.sweep import sweep
from workloads.progress import Progress

HERE = Path(__file__).parent
ORDER1 = ("order1-gcc", "order1-pandas", "order1-redis", "order1-node")
NAMES = ("density", "churned", *ORDER1, "zram", "mapping", "sensitivity", "worth-zram", "worth-zswap")


def run(folder: Path) -> dict[str, Result]:
    """Do all of them, each in a folder of its own; progress goes to standard error."""
    return {name: _one(name, folder / name) for name in NAMES}


def _one(name: str, folder: Path) -> Result:
    print(f"sweep {NAMES.index(name) + 1} of {len(NAMES)}: {name}", file=sys.stderr)
    with ExitStack() as bars:

        def report(stage: str) -> Progress:
            bars.close()
            return bars.enter_context(progress(f"{name}: {stage}"))

        return sweep(Experiment.from_toml(HERE / f"{name}.toml"), folder, report=report)
