"""A calibration: everything measured in several processes, one after the other, each with new memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.calibration.codecs import batches, measure_codecs
from sim.calibration.processes import apart, within
from sim.calibration.samples import Samples
from sim.errors import UserError
from sim.sizing.sizing import filled
from workloads.progress import Progress, silent

if TYPE_CHECKING:
    import pandas as pd

    from sim.compressors.base import Pages
    from workloads.traces.trace import Trace


class Plan(NamedTuple):
    """What one process measures: codecs by their specs on these pages, and a zram device or not."""

    codecs: tuple[str, ...]
    pages: Pages
    zram: bool
    seed: int


def sample_pages(trace: Trace, count: int, seed: int = 0) -> Pages:
    """Up to `count` random pages of a trace that are not same-filled; uint8[n, page_size].

    Raises TraceError for a trace without contents, UserError when there is no such page.
    """
    rng = np.random.default_rng(seed)
    kept = [batch[~filled(batch)[0]] for batch in trace.page_batches()]
    pages = np.concatenate(kept) if kept else trace.page_array(0, 0)
    if not len(pages):
        raise UserError(f"{trace.name}: only same-filled pages, which are never compressed; give another trace")
    return np.ascontiguousarray(pages[np.sort(rng.permutation(len(pages))[:count])])


def calibrate(plan: Plan, processes: int, progress: Progress = silent) -> Iterator[pd.DataFrame]:
    """The samples of each process as it ends (see `sim.calibration.samples`).

    Raises HostError when a zram device is wanted and there is none, CodecError if a page does not decompress to itself.
    """
    if plan.zram:
        from workloads.host.zram import require_zram

        require_zram()
    steps = batches(len(plan.pages))
    for number in range(processes):
        work = partial(measure, plan._replace(seed=plan.seed + number))
        yield apart(work, partial(within, progress, number * steps, processes * steps)).assign(process=number)


def measure(plan: Plan, done: Callable[[int], object] = lambda done: None) -> pd.DataFrame:
    """The samples of one process: this one. It is kept on one CPU from here on."""
    from sim.calibration.memory import measure_memory
    from sim.plugins import COMPRESSORS

    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # a move to another CPU empties the caches
    rng, samples = np.random.default_rng(plan.seed), Samples()
    measure_memory(samples, rng)
    measure_codecs(samples, [COMPRESSORS.make(spec) for spec in plan.codecs], plan.pages, rng, done)
    if plan.zram:
        _measure_device(samples)
    return samples.frame()


def _measure_device(samples: Samples) -> None:
    from sim.calibration.device import ROUNDS, floors
    from workloads.host.signals import deferred

    with deferred(), floors(samples) as measured:
        for _ in range(ROUNDS):
            measured.measure()
        measured.measure_once()
