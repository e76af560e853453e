"""The samples that are shipped: real swap traffic, a spatial sample of each recording."""

from __future__ import annotations

from pathlib import Path

from workloads.errors import TraceError
from workloads.shown import meant
from workloads.traces.disk import open_trace
from workloads.traces.trace import Trace

FOLDER = Path(__file__).parent


def sample_names() -> list[str]:
    """Return the names of the samples, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.cswap"))


def open_sample(name: str) -> Trace:
    """Open a sample by name; TraceError when there is none of that name."""
    if name not in sample_names():
        wrong = f"there is no such sample{meant(name, sample_names())}"
        raise TraceError.at("samples", name, wrong, f"use one of {', '.join(sample_names())}")
    return open_trace(FOLDER / f"{name}.cswap")
