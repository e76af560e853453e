"""Where a result comes from: everything needed to judge it and to make it again."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from sim.machine import processor

if TYPE_CHECKING:
    from sim.experiment import Experiment
    from workloads.trace import Trace

PACKAGES = ("cswap", "numpy", "numba", "pandas", "pyarrow", "lz4", "zstandard", "simpy", "matplotlib")


def provenance(
    experiment: Experiment, traces: Sequence[Trace], jobs: Sequence[Any], *, complete: bool
) -> dict[str, Any]:
    """JSON-safe: the experiment, digests of its traces, versions of codecs and packages, the machine, the time."""
    prices = experiment.prices() if experiment.timing else None
    codecs = {job.sizes.meta["codec"]: job.sizes.meta.get("version", "given with the trace") for job in jobs}
    return {
        "complete": complete,
        "experiment": experiment.describe(),
        "traces": {
            trace.name: {"digest": trace.digest, "events": trace.counts, "source": trace.source} for trace in traces
        },
        "codecs": codecs,
        "codec_times": "measured on this machine, or on the one that sized the trace",
        "prices": prices.describe() if prices else None,
        "devices": experiment.device_profiles() if experiment.timing else None,
        "versions": {package: version(package) for package in PACKAGES},
        "python": platform.python_version(),
        "machine": {"processor": processor(), "cores": os.cpu_count(), "kernel": platform.release()},
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
    }
