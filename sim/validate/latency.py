"""Predicted latency against measured: 4-KiB writes and reads of a zram device of this host.

The prediction is the timing model's: the costs of the way there and back, calibrated in the same run by what involves
no page of the trace (floors of the device, loads and copies in user space), and each page's compression time in user
space. These costs are medians; what scatters around them, such as the first transfer after other work, is taken from
floors too: each prediction has the deviation of one of them added. Nothing is fitted to the writes and reads that it is
compared with.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from allocators.zspages.zsmalloc import Zsmalloc
from sim.calibration.calibrate import sample_pages
from sim.calibration.costs import measured_costs, scatter
from sim.calibration.samples import Samples
from sim.compressors.base import BATCH, Compressor, Pages
from sim.errors import UserError
from sim.frontends.zram import Zram
from sim.timing.costs import Costs, read_costs
from sim.timing.setting import Setting
from sim.timing.simulate import simulate
from sim.validate.live_latency import Measured, measure_live
from sim.validate.recorded import Report, quiet
from workloads.host.kernel import zsmalloc_chain
from workloads.host.signals import deferred
from workloads.host.zram import PAGE, require_zram
from workloads.traces.events import IN, OUT, Events
from workloads.traces.sizes import Sizes
from workloads.traces.trace import Trace

PERCENTILES = (50, 95, 99)
OPERATIONS = ("page-out", "page-in")
SCATTER = {"page-out": "object store", "page-in": "object load"}
Times = npt.NDArray[np.float64]


class Pair(NamedTuple):
    """One operation in one repeat: us of each page, measured and predicted; float64[n]."""

    operation: str
    measured: Times
    predicted: Times


def compare_latency(
    trace: Trace,
    compressor: Compressor,
    count: int = 2000,
    repeats: int = 5,
    chain: int | None = None,
    report: Report = quiet,
) -> list[dict[str, Any]]:
    """Rows of `summary`, from `repeats` new devices over the same `count` pages of the trace, none same-filled.

    SIGINT and SIGTERM take effect once the device is removed. Raises HostError without root, zram or the compressor;
    UserError for a trace without contents or with pages of another size.
    """
    require_zram()
    pages = pages_for_a_device(trace, count)
    chain = zsmalloc_chain() if chain is None else chain
    pairs: list[Pair] = []
    with report(f"{compressor.spec} on {trace.name}, a zram device") as done, one_cpu():
        for repeat in range(repeats):
            rng = np.random.default_rng(repeat)
            shuffled = pages[rng.permutation(len(pages))]
            with deferred() as pending:
                measured, samples = measure_live(shuffled, compressor, rng, pending)
            given = Trace.from_arrays(trace.name, there_and_back(measured.back), shuffled)
            predicted = predict(given, compressor.spec, measured, calibrated(samples), chain)
            for (operation, part), ns in zip(SCATTER.items(), (measured.write, measured.read), strict=True):
                scattered = predicted[operation] + rng.choice(scatter(samples.frame(), part), len(ns)) / 1e3
                pairs.append(Pair(operation, ns / 1e3, scattered))
            done(repeat + 1, repeats)
    return summary(pairs)


def pages_for_a_device(trace: Trace, count: int) -> Pages:
    """Up to `count` pages of a trace, none same-filled. Raises UserError when they are not of a device's size."""
    if not trace.content or trace.page_size != PAGE:
        what = f"pages of {trace.page_size} bytes" if trace.content else "no contents"
        raise UserError(f"{trace.name}: {what}; a device needs contents, in pages of {PAGE} bytes")
    return sample_pages(trace, count)


def there_and_back(back: npt.NDArray[np.int64]) -> Events:
    """n pages out, each into its slot, then all of them in, in the order `back`; int64[n]."""
    rows = np.arange(len(back))
    kind = np.repeat((OUT, IN), len(back))
    return Events.of(kind, np.concatenate((rows, back)), np.concatenate((rows, np.full(len(back), -1))))


def calibrated(samples: Samples) -> Costs:
    """The default costs, overridden by those of this run; direct I/O knows neither faults nor reclaim."""
    costs = read_costs()
    found = {cost.name: cost for cost in measured_costs(samples.frame())}
    costs = replace(costs, entries={**costs.entries, **found})
    costs = costs.with_value("path.fault", 0).with_value("path.reclaim", 0)
    return costs.with_value("reclaim.cluster", BATCH)  # after so many the caches are emptied


def predict(trace: Trace, codec: str, measured: Measured, costs: Costs, chain: int) -> dict[str, Times]:
    """Predicted us, by operation and in the order of `trace`, that of `there_and_back`; one task on one CPU."""
    no = np.zeros(trace.unique_pages, np.bool_)
    sizes = Sizes(measured.size, no, no.copy(), measured.compress, measured.decompress, {"codec": codec})
    events = simulated(trace, sizes, costs, chain)
    operation, total = events["operation"], events["total_us"]
    return {name: total[operation == name] for name in OPERATIONS}


def simulated(trace: Trace, sizes: Sizes, costs: Costs, chain: int) -> dict[str, npt.NDArray[Any]]:
    """Columns of the `events` frame, in the order of `trace`: one task on one CPU, zram over zsmalloc."""
    setting = Setting(cpus=1, arrivals="saturate")
    timed = simulate(trace, sizes, Zram(zeros_apart=False), Zsmalloc(chain=chain), setting, costs, events=True)
    return timed.events


def summary(pairs: list[Pair]) -> list[dict[str, Any]]:
    """A row per operation and percentile: medians of the repeats.

    `measured_us`, `predicted_us`, `ratio` (predicted / measured), and the least and the largest ratio of a repeat,
    `ratio_low` and `ratio_high`.
    """
    rows = []
    for operation in OPERATIONS:
        for percentile in PERCENTILES:
            figures = np.array(
                [
                    [np.percentile(times, percentile) for times in (pair.measured, pair.predicted)]
                    for pair in pairs
                    if pair.operation == operation
                ]
            )
            ratio = figures[:, 1] / figures[:, 0]
            measured, predicted = np.median(figures, axis=0).tolist()
            rows.append(
                {"operation": operation, "percentile": percentile, "measured_us": measured, "predicted_us": predicted}
                | {"ratio": float(np.median(ratio)), "ratio_low": float(ratio.min()), "ratio_high": float(ratio.max())}
            )
    return rows


@contextmanager
def one_cpu() -> Iterator[None]:
    """Stay on one CPU, whose caches then hold what they held."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
