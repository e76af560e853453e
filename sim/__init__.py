"""What happens to a page: compressors, frontends, replay, timing, results, plots and the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.experiment.description import Experiment

if TYPE_CHECKING:
    from sim.experiment.runner import run
    from sim.results.result import Result

__all__ = ["Experiment", "Result", "run"]

_LAZY = {"Result": "sim.results.result", "run": "sim.experiment.runner"}  # what `cswap --help` need not wait for


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
