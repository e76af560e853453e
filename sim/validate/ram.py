"""The closed loop against recordings: each size of memory predicted from each smaller one, by every policy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any, NamedTuple

import numpy as np

from allocators.ideal import Ideal
from allocators.zspages.zsmalloc import Zsmalloc
from sim.frontends.raw import Raw
from sim.frontends.zram import Zram
from sim.plugins import COMPRESSORS, POLICIES
from sim.ram.closed import Capacity, closed_replay
from sim.ram.measured import FORMAT, MOST_SHARE, Interval, Measured
from sim.replay.replay import Replay, replay
from sim.sizing.sizing import size_pages
from sim.validate.memories import Recording, memory_of, others_of, pairs
from workloads.progress import Progress
from workloads.traces.events import IN, OUT
from workloads.traces.sizes import Sizes
from workloads.traces.trace import Trace

Report = Callable[[str], AbstractContextManager[Progress]]
STEPS = 12  # of the bisection: a share to 0.001


class Counts(NamedTuple):
    """Page-outs and page-ins, and the most pages that the pool held; those of one replay, or means."""

    page_outs: float
    page_ins: float
    pool_peak: float


@dataclass(frozen=True)
class Predicted:
    """What a policy predicts of a memory from the recordings in a smaller one, beside what was recorded there."""

    smaller: Recording
    larger: Recording
    policy: str
    counts: Counts

    @property
    def ratios(self) -> tuple[float, float]:
        """Predicted over live: page-outs, page-ins; infinite where live there were none."""
        live = self.larger.mean("out"), self.larger.mean("in")
        return ratio(self.counts.page_outs, live[0]), ratio(self.counts.page_ins, live[1])

    def row(self) -> dict[str, Any]:
        """Sizes in bytes; a ratio is None where live there were none, `compressor` and pools where none is shared."""
        outs, ins = (round(value, 4) if np.isfinite(value) else None for value in self.ratios)
        shared = self.larger.shared
        return {
            "from": self.smaller.size,
            "to": self.larger.size,
            "shared": shared,
            "compressor": self.larger.codec if shared else None,
            "policy": self.policy,
            "page_outs": round(self.counts.page_outs),
            "page_ins": round(self.counts.page_ins),
            "live_page_outs": round(self.larger.mean("out")),
            "live_page_ins": round(self.larger.mean("in")),
            "ratio_outs": outs,
            "ratio_ins": ins,
            "pool_pages_peak": round(self.counts.pool_peak) if shared else None,
            "live_pool_pages_peak": self.larger.pool_peak if shared else None,
        }


def ratio(predicted: float, live: float) -> float:
    """Predicted over live; 1 where there is none of either."""
    return predicted / live if live else 1.0 if not predicted else float("inf")


def predict(trace: Trace, policy: str, larger: Recording, share: float | None = None) -> Counts:
    """What happens of a trace in the memory of another recording.

    Given a `share`, that much of the difference of their sizes counts. Else all that is for pages that are swapped:
    what files and the kernel took of either is left out, if both tell it.
    """
    sizes = np.array([larger.size, memory_of(trace)[1]])
    others = (larger.others, others_of(trace)) if share is None else (None, None)
    if None not in others:
        sizes -= np.array(others)
    pages, recorded = (max(0, int(size)) // trace.page_size for size in sizes)
    plain = _in_pool(trace, larger) if larger.shared else _counted(trace)
    capacity = Capacity(pages, recorded, POLICIES.make(policy), larger.shared, 1.0 if share is None else share)
    outs = ins = peak = 0
    for events, outcome in closed_replay(plain, capacity):
        outs += int((events.kind == OUT).sum())
        ins += int((events.kind == IN).sum())
        peak = max(peak, int(outcome["pages"].max()))
    return Counts(outs, ins, peak)


def predictions(found: Sequence[Recording], policies: Sequence[str], report: Report) -> list[Predicted]:
    """Each memory predicted from each smaller one, by each policy; the means of the recordings in the smaller one."""
    todo = [(smaller, larger, policy) for smaller, larger in pairs(found) for policy in policies]
    predicted = []
    with report("predicting page-outs and page-ins") as done:
        for i, (smaller, larger, policy) in enumerate(todo):
            predicted.append(Predicted(smaller, larger, policy, _mean(smaller, policy, larger)))
            done(i + 1, len(todo))
    return predicted


def error(predicted: Sequence[Predicted]) -> float:
    """The median deviation of page-outs and page-ins from the live ones, as a share of these."""
    return median(abs(value - 1) for one in predicted for value in one.ratios)


def best(predicted: Sequence[Predicted]) -> str:
    """The policy with the least error."""
    policies = dict.fromkeys(one.policy for one in predicted)
    return min(policies, key=lambda policy: error([one for one in predicted if one.policy == policy]))


def measure(found: Sequence[Recording], policy: str, deviation: float, report: Report) -> Measured | None:
    """Which share of the difference counts between each two limits, with a policy whose error is `deviation`.

    None if there are no two limits: shares are not measured where a pool takes part.
    """
    todo = [(smaller, larger) for smaller, larger in pairs(found) if not larger.shared]
    intervals = []
    with report("measuring what counts of the difference") as done:
        for i, (smaller, larger) in enumerate(todo):
            live = larger.mean("out"), larger.mean("in")
            share = _share(smaller, larger, policy, sum(live))
            intervals.append(Interval(smaller.size, larger.size, share, *map(round, live)))
            done(i + 1, len(todo))
    return Measured(FORMAT, policy, min(deviation, 1e6), intervals) if intervals else None


def _share(smaller: Recording, larger: Recording, policy: str, live: float) -> float:
    """The share of the difference with which as many page-outs and page-ins are predicted as there were live."""

    def too_many(share: float) -> bool:
        counts = _mean(smaller, policy, larger, share)
        return counts.page_outs + counts.page_ins > live

    low, high = 0.0, 1.0
    while high < MOST_SHARE and too_many(high):
        low, high = high, high * 2
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if too_many(middle) else (low, middle)
    return round((low + high) / 2, 4)


def _mean(recording: Recording, policy: str, larger: Recording, share: float | None = None) -> Counts:
    counts = [predict(trace, policy, larger, share) for trace in recording.traces]
    return Counts(*(fmean(column) for column in zip(*counts, strict=True)))


def _counted(trace: Trace) -> Replay:
    """Where the pool takes no part, nothing needs to be packed."""
    sizes = Sizes.given(np.zeros(trace.unique_pages, np.int32))
    return replay(trace, sizes, Raw(), Ideal(page_size=trace.page_size))


def _in_pool(trace: Trace, larger: Recording) -> Replay:
    sizes = size_pages(trace, COMPRESSORS.make(larger.codec))
    return replay(trace, sizes, Zram(zeros_apart=True), Zsmalloc(page_size=trace.page_size))
