"""What an experiment is told that it may not have meant: nothing of it is wrong, and all of it runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from workloads.limits import SLOTS
from workloads.traces.sizes import GIVEN

if TYPE_CHECKING:
    from sim.compressors.base import Compressor
    from sim.experiment.description import Experiment
    from sim.frontends.base import Frontend
    from workloads.traces.trace import Trace

THRASHED = 10  # page-ins for each slot of a recording, from which its program did little else


def remarks(
    experiment: Experiment, traces: Sequence[Trace], frontends: Sequence[Frontend], codecs: Sequence[Compressor]
) -> list[str]:
    """All remarks, each once; fields stand in them as in `sim.errors.remark`."""
    from sim.experiment.description import DEFAULT_COMPRESSORS

    found = [*_of_settings(experiment)]
    for trace in traces:
        found += [*_of_trace(trace, codecs if experiment.compressors != DEFAULT_COMPRESSORS else ())]
        found += thrashed(trace) if experiment.machine.closed else []
        for frontend in frontends:
            fitted = frontend.in_ram(1) if experiment.machine.ram != (None,) else frontend  # each size is a limit
            found += fitted.remarks(trace)
    return list(dict.fromkeys(found))


def _of_settings(experiment: Experiment) -> Iterator[str]:
    memory, timing = experiment.memory, experiment.timing
    if memory.seed != (0,) and not any(memory.unusable) and timing is None:
        yield "<seed> has no effect: nothing is random without <unusable> or <timing>"
    if memory.unusable_order != (1,) and not any(memory.unusable):
        yield "<unusable_order> has no effect without <unusable>"
    if timing is not None and timing.loads != (1.0,) and set(timing.arrivals) == {"saturate"}:
        yield "<loads> has no effect with <arrivals> saturate: every CPU takes the next event at once"


def _of_trace(trace: Trace, codecs: Sequence[Compressor]) -> Iterator[str]:
    if trace.n_slots > SLOTS:  # which is refused
        return
    reads, empty = trace.counts["in"], trace.empty_reads
    for count, what in ((empty.never_written, "never written"), (empty.freed, "freed before")):
        if count:
            yield f"{trace.name}: {count:,} of {reads:,} page-ins ({count / reads:.2%}) read slots {what}"
    if not trace.n_events:
        yield f"{trace.name}: has no events"
    if GIVEN in trace.sizes_codecs() and not trace.content and len(codecs) > 1:
        yield f"{trace.name}: has sizes of its own, so it runs once, as codec {GIVEN}, whatever <compressors> says"


def thrashed(trace: Trace) -> list[str]:
    """What is said of a recording whose program did little else than swap; nothing of any other trace."""
    if trace.source.get("kind") != "recording" or trace.counts["in"] <= THRASHED or trace.n_slots > SLOTS:
        return []
    times = trace.counts["in"] / max(1, trace.fullest.slots)
    if times <= THRASHED:
        return []
    told = f"{trace.name}: thrashed while it was recorded, {times:.0f} page-ins for each slot"
    return [f"{told}; the time that this took is in no figure: record it in more memory"]
