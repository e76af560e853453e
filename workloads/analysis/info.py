"""What there is to know about a trace without its contents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from workloads.analysis.survey import FREED, HELD, OVERWRITTEN, Survey
from workloads.limits import SLOTS
from workloads.progress import Progress, silent
from workloads.traces.events import COMPACT, Events
from workloads.traces.memory import memory_facts
from workloads.traces.trace import Trace

TASKS = 10  # that have most page-outs


def info(trace: Trace, progress: Progress = silent) -> dict[str, Any]:
    """Return what there is to know about a trace, JSON-safe, in a stable order; reads its events.

    `slots` are those that events name; `in_never_written` are page-ins of slots that were never written, `in_freed` of
    slots freed since. `live`, `lifetimes`, `reuse` and `by_task` are those of `Survey`: `p10`, `p50` and `p90` of
    lifetimes are of contents that were freed or overwritten. All are None where a device has no room for so many slots.
    """
    return facts(trace, Survey(trace, progress) if trace.n_slots <= SLOTS else None)


def facts(trace: Trace, survey: Survey | None) -> dict[str, Any]:
    """The same of a survey that was made."""
    empty = trace.empty_reads if survey else None
    return {
        "name": trace.name,
        "events": trace.n_events,
        **trace.counts,
        "in_never_written": empty and empty.never_written,
        "in_freed": empty and empty.freed,
        "unique_pages": trace.unique_pages,
        "page_size": trace.page_size,
        "content": trace.content,
        "slots": survey.slots if survey else _distinct(trace.batches()),
        "n_slots": trace.n_slots,
        "renumbered": trace.header.slots_digest is not None,
        "duration_s": trace.duration_s,
        "live": survey and _live(survey),
        "lifetimes": survey and _lifetimes(survey),
        "reuse": survey and _reuse(survey),
        "tasks": (len(survey.tasks) or None) if survey else None,
        "by_task": survey and survey.df_tasks().head(TASKS).to_dict("records"),
        **memory_facts(trace.memory),
        "digest": trace.digest,
        "sizes": trace.sizes_codecs(),
        "source": trace.source,
    }


def _live(survey: Survey) -> dict[str, Any]:
    live = survey.live
    found = {"peak": live.peak, "peak_event": live.peak_event, "peak_time_s": live.peak_s}
    return found | {"mean": live.mean, "end": live.end}


def _lifetimes(survey: Survey) -> dict[str, Any]:
    events, ns = (a + b for a, b in zip(survey.lifetimes[FREED], survey.lifetimes[OVERWRITTEN], strict=True))
    counts = {end: len(survey.lifetimes[end][0]) for end in (FREED, OVERWRITTEN, HELD)}
    return counts | {"events": events.percentiles(), "seconds": ns.percentiles(1e9)}


def _reuse(survey: Survey) -> dict[str, Any]:
    page_outs, ns = survey.reuse
    found: dict[str, Any] = {"page_ins": len(page_outs), "read_back": survey.read_back}
    return found | {"page_outs": page_outs.percentiles(), "seconds": ns.percentiles(1e9)}


def _distinct(batches: Iterable[Events]) -> int:
    """Slots that events name."""
    found = np.empty(0, np.int64)
    for events in batches:
        found = np.union1d(found, events.slot[events.kind != COMPACT])
    return len(found)
