"""Compacting zram's pool by hand: what it gives back, and what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.advice.judging import ALIKE, FELT, LIKELY, OPEN, SMALL, Advice, Row, mib, run_seconds, seconds
from sim.advice.study import Study
from workloads.traces.events import COMPACT, Events, concat
from workloads.traces.sizes import GIVEN

if TYPE_CHECKING:
    from sim.advice.workloads import Workload
    from workloads.traces.sizes import Sizes
    from workloads.traces.trace import Trace


def compaction(study: Study) -> Advice:
    """Whether to write to `compact` now and then: if the pool shrinks by more than is taken for equal, unnoticed."""
    rows: list[Row] = []
    for one in study.workloads:
        rows += study.runs.of(one, compressors=(study.codec,), trace=compacted(study, one))
    run_s = run_seconds(rows)
    before, after = (sum(study.scaled(r, "pool_pages_mean") for r in of) for of in (study.plain, rows))
    cost = sum(row["time_lost_s"] for row in rows) - sum(row["time_lost_s"] for row in study.plain)
    gain = 1 - after / before if before else 0.0
    good = gain > ALIKE and cost <= FELT * run_s
    evidence = (
        f"20 times in the trace: pool {mib(max(before - after, 0), study.page_size)} smaller ({max(gain, 0):.1%}), "
        f"{seconds(max(cost, 0))} more lost"
    )
    reason = "zsmalloc's shrinker is not modelled"
    if any(row["small"] for row in study.plain):
        return _advice(study, good, evidence, OPEN, SMALL, rows)
    return _advice(study, good, evidence, OPEN if good else LIKELY, reason, rows)


def _advice(study: Study, good: bool, evidence: str, certainty: str, reason: str, rows: list[Row]) -> Advice:
    turns = "a pool from which most pages are freed at once: these traces last minutes, not days"
    value = "yes" if good else "no"
    return Advice("compaction", value, evidence, certainty, reason, turns, study.traces, [*study.plain, *rows])


def compacted(study: Study, one: Workload) -> Trace:
    """The trace, by its sizes, with compactions after every so many events."""
    from sim.plugins import COMPRESSORS
    from sim.sizing.sizing import size_pages
    from workloads.traces.trace import Trace

    trace, codec = one.trace, study.codec
    sizes: Sizes | None = trace.sizes(codec)
    if sizes is None or trace.content:
        stand_in = COMPRESSORS.make("lz4" if codec == GIVEN else codec)  # those given stand for any
        sizes = size_pages(trace, stand_in, progress=study.runs.report(f"{codec} on {trace.name}"))
    events = with_compactions(concat(list(trace.batches())), study.every(one))
    return Trace.from_arrays(
        trace.name, events, None, {codec: sizes}, trace.source, trace.page_size, memory=trace.memory
    )


def with_compactions(events: Events, every: int) -> Events:
    """Events with a compaction behind every `every` of them."""
    at = np.arange(every, len(events) + 1, every)
    given = {"kind": COMPACT, "slot": 0, "page": -1}
    columns = {name: np.insert(c, at, given.get(name, c[at - 1])) for name, c in events.columns().items()}
    return Events(**columns)
