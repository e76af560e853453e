"""What happens to a page: compressors, frontends, replay, timing, results, plots and the command line."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.analysis.analysis import Analysis
    from sim.experiment.description import Experiment
    from sim.experiment.importing import import_trace
    from sim.experiment.machine import Machine
    from sim.experiment.memory import Memory
    from sim.experiment.runner import run
    from sim.experiment.timing import Timing
    from sim.plugins import register
    from sim.results.differences import differences
    from sim.results.result import Result

__all__ = [
    "Analysis",
    "Experiment",
    "Machine",
    "Memory",
    "Result",
    "Timing",
    "differences",
    "import_trace",
    "register",
    "run",
]

# Imported when it is asked for, so that `cswap --help` need not wait.
_LAZY = {
    "Analysis": "sim.analysis.analysis",
    "Experiment": "sim.experiment.description",
    "Machine": "sim.experiment.machine",
    "Memory": "sim.experiment.memory",
    "Result": "sim.results.result",
    "Timing": "sim.experiment.timing",
    "differences": "sim.results.differences",
    "import_trace": "sim.experiment.importing",
    "register": "sim.plugins",
    "run": "sim.experiment.runner",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
