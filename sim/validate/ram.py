"""The closed loop against recordings: each size of RAM predicted from each smaller one, by every policy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, median
from typing import Any

import numpy as np

from allocators.ideal import Ideal
from sim.errors import UserError
from sim.frontends.raw import Raw
from sim.plugins import POLICIES
from sim.ram.closed import closed_replay
from sim.ram.measured import FORMAT, MOST_SHARE, Interval, Measured
from sim.replay.replay import replay
from workloads.progress import Progress
from workloads.traces.events import IN, OUT
from workloads.traces.sizes import Sizes
from workloads.traces.trace import Trace

Report = Callable[[str], AbstractContextManager[Progress]]
STEPS = 12  # of the bisection: a share to 0.001
REMEDY = "record it with cswap record --limit"


@dataclass(frozen=True)
class Recording:
    """The recordings of a program under one limit, in bytes."""

    limit: int
    traces: tuple[Trace, ...]

    def mean(self, kind: str) -> float:
        """Events of a kind, in the mean of the recordings."""
        return fmean(trace.counts[kind] for trace in self.traces)


@dataclass(frozen=True)
class Predicted:
    """Page-outs and page-ins under a limit, predicted from the recordings under a smaller one, beside the live ones."""

    smaller: Recording
    larger: Recording
    policy: str
    page_outs: float
    page_ins: float

    @property
    def ratios(self) -> tuple[float, float]:
        """Predicted over live: page-outs, page-ins; infinite where live there were none."""
        live = self.larger.mean("out"), self.larger.mean("in")
        return ratio(self.page_outs, live[0]), ratio(self.page_ins, live[1])

    def row(self) -> dict[str, Any]:
        """Sizes in bytes; ratios None where live there were none."""
        outs, ins = (value if np.isfinite(value) else None for value in self.ratios)
        return {
            "from": self.smaller.limit,
            "to": self.larger.limit,
            "policy": self.policy,
            "page_outs": round(self.page_outs),
            "page_ins": round(self.page_ins),
            "live_page_outs": round(self.larger.mean("out")),
            "live_page_ins": round(self.larger.mean("in")),
            "ratio_outs": outs and round(outs, 4),
            "ratio_ins": ins and round(ins, 4),
        }


def ratio(predicted: float, live: float) -> float:
    """Predicted over live; 1 where there is none of either."""
    return predicted / live if live else 1.0 if not predicted else float("inf")


def recordings(traces: Sequence[Trace]) -> list[Recording]:
    """Group traces by their limits, ascending.

    Raises UserError for a trace that was not recorded under a limit, for those of another program, and if all have
    the same limit.
    """
    by_limit: dict[int, list[Trace]] = {}
    for trace in traces:
        by_limit.setdefault(_limit(trace), []).append(trace)
        for word, one, other in (
            ("program", trace.source.get("command"), traces[0].source.get("command")),
            ("page size", trace.page_size, traces[0].page_size),
        ):
            if one is not None and other is not None and one != other:
                raise UserError(f"{_place(trace)}: another {word} than in {_place(traces[0])}; compare recordings of one")
    if len(by_limit) < 2:
        raise UserError(f"{_place(traces[0])}: all were recorded under the same limit; give one recorded under another")
    return [Recording(limit, tuple(by_limit[limit])) for limit in sorted(by_limit)]


def predict(trace: Trace, policy: str, extra: int) -> tuple[int, int]:
    """Page-outs and page-ins of a recorded trace if `extra` pages more were in memory."""
    sizes = Sizes.given(np.zeros(trace.unique_pages, np.int32))
    plain = replay(trace, sizes, Raw(), Ideal(page_size=trace.page_size))
    outs = ins = 0
    for events, _ in closed_replay(plain, POLICIES.make(policy), extra):
        outs += int((events.kind == OUT).sum())
        ins += int((events.kind == IN).sum())
    return outs, ins


def predictions(found: Sequence[Recording], policies: Sequence[str], report: Report) -> list[Predicted]:
    """Each limit predicted from each smaller one, by each policy; the means of the recordings of a limit."""
    pairs = [(a, b, policy) for a, b in combinations(found, 2) for policy in policies]
    predicted = []
    with report("predicting page-outs and page-ins") as done:
        for i, (smaller, larger, policy) in enumerate(pairs):
            counts = _mean(smaller, policy, larger.limit - smaller.limit)
            predicted.append(Predicted(smaller, larger, policy, *counts))
            done(i + 1, len(pairs))
    return predicted


def error(predicted: Sequence[Predicted]) -> float:
    """The median deviation of page-outs and page-ins from the live ones, as a share of these."""
    return median(abs(value - 1) for one in predicted for value in one.ratios)


def best(predicted: Sequence[Predicted]) -> str:
    """The policy with the least error."""
    policies = dict.fromkeys(one.policy for one in predicted)
    return min(policies, key=lambda policy: error([one for one in predicted if one.policy == policy]))


def measure(found: Sequence[Recording], policy: str, deviation: float, report: Report) -> Measured:
    """Which share of the difference counts between each two limits, with a policy whose error is `deviation`."""
    pairs = list(combinations(found, 2))
    intervals = []
    with report("fitting what counts of the difference") as done:
        for i, (smaller, larger) in enumerate(pairs):
            live = larger.mean("out"), larger.mean("in")
            share = _share(smaller, larger, policy, sum(live))
            intervals.append(Interval(smaller.limit, larger.limit, share, *map(round, live)))
            done(i + 1, len(pairs))
    return Measured(FORMAT, policy, min(deviation, 1e6), intervals)


def _share(smaller: Recording, larger: Recording, policy: str, live: float) -> float:
    """The share of the difference with which as many page-outs and page-ins are predicted as there were live."""
    low, high = 0.0, 1.0
    difference = larger.limit - smaller.limit
    while high < MOST_SHARE and sum(_mean(smaller, policy, round(difference * high))) > live:
        low, high = high, high * 2
    for _ in range(STEPS):
        middle = (low + high) / 2
        if sum(_mean(smaller, policy, round(difference * middle))) > live:
            low = middle
        else:
            high = middle
    return round((low + high) / 2, 4)


def _mean(recording: Recording, policy: str, size: int) -> tuple[float, float]:
    counts = [predict(trace, policy, size // trace.page_size) for trace in recording.traces]
    return fmean(outs for outs, _ in counts), fmean(ins for _, ins in counts)


def _limit(trace: Trace) -> int:
    limit = trace.source.get("limit")
    if trace.source.get("kind") != "recording" or not isinstance(limit, int) or isinstance(limit, bool):
        raise UserError(f"{_place(trace)}: does not say under which limit it was recorded; {REMEDY}")
    if not 0 < limit < 1 << 50:
        raise UserError(f"{_place(trace)}: says it was recorded under a limit of {str(limit)[:40]} bytes; {REMEDY}")
    return limit


def _place(trace: Trace) -> str:
    return str(trace.path or trace.name)
