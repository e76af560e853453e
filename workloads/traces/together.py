"""Traces of several programs as one: all of them on one machine at the same time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workloads.errors import TraceError
from workloads.traces.events import COMPACT, OUT, Events, concat
from workloads.traces.sizes import OF_THESE, Sizes
from workloads.traces.source import recorded_limit, swap_keeps_zeros
from workloads.traces.trace import Trace


def together(traces: Sequence[Trace]) -> Trace:
    """One trace, in memory, whose events are those of all in the order of their times, each from its own beginning.

    Slots, pages and tasks of one program stay apart from those of another. The memory in which it was recorded is that
    of all; how its kernel treats zero-filled pages, and whether it is a sample, are theirs. With contents if all have
    them, else with the sizes by the codecs that all have. Raises TraceError.
    """
    first = traces[0]
    for trace in traces:
        if trace.page_size != first.page_size:
            wrong, remedy = f"has pages of {trace.page_size} bytes", f"give traces with pages of {first.page_size}"
            raise TraceError.at(trace.name, "page_size", wrong, remedy)
        if not trace.has_time:
            raise TraceError.at(
                trace.name, "events", "have no times, so their order among others is unknown", "give ts"
            )
    content = all(trace.content for trace in traces)
    codecs = [codec for codec in first.sizes_codecs() if all(codec in trace.sizes_codecs() for trace in traces)]
    if not content and not codecs:
        wrong = "neither contents nor sizes by one codec are in all of the traces"
        raise TraceError.at(first.name, "sizes", wrong, "give traces with contents, or with sizes by the same codecs")
    sizes = {} if content else {codec: _sizes(codec, traces) for codec in codecs}
    pages = np.concatenate([trace.page_array(0, trace.unique_pages) for trace in traces]) if content else None
    name = "+".join(trace.name for trace in traces)
    return Trace.from_arrays(name, _events(traces), pages, sizes, page_size=first.page_size, source=_source(traces))


def _source(traces: Sequence[Trace]) -> dict[str, Any]:
    """What recordings say of themselves, as far as it is true of all: memory is added up, and so is readahead.

    The kernel is the first's, where all of them treat zero-filled pages as it does.
    """
    sources = [trace.source for trace in traces]
    source: dict[str, Any] = {"kind": "together", "programs": len(traces)}
    limits = [limit for one in sources if (limit := recorded_limit(one))]
    ahead = [pages for one in sources if isinstance(pages := _readahead(one), int)]
    if len(limits) == len(traces):
        source["limit"] = sum(limits)
    if len(ahead) == len(traces):
        source["vmstat"] = {"swap_ra": sum(ahead)}
    if "kernel" in sources[0] and len({swap_keeps_zeros(one) for one in sources}) == 1:
        source["kernel"] = sources[0]["kernel"]
    if samples := [trace.name for trace in traces if "sample" in trace.source]:
        source["sample"] = {"of": samples}  # it holds some of its slots only, then
    return source


def _readahead(source: Mapping[str, Any]) -> Any:
    counted = source.get("vmstat")
    return counted.get("swap_ra") if isinstance(counted, Mapping) else None


def _events(traces: Sequence[Trace]) -> Events:
    """All events in the order of their times."""
    shifted, slots, pages, tasks = [], 0, 0, 0
    for trace in traces:
        events = concat(list(trace.batches()))
        assert events.time_ns is not None
        task = np.zeros(len(events), np.int32) if events.task is None else events.task
        own = np.unique(task, return_inverse=True)
        shifted.append(
            Events(
                events.kind,
                np.where(events.kind == COMPACT, 0, events.slot + slots),
                np.where(events.kind == OUT, events.page + pages, events.page).astype(np.int32),
                events.time_ns - (events.time_ns[0] if len(events) else 0),
                (own[1] + tasks).astype(np.int32),
            )
        )
        slots, pages, tasks = slots + trace.n_slots, pages + trace.unique_pages, tasks + len(own[0])
    whole = concat(shifted)
    assert whole.time_ns is not None
    return whole[np.argsort(whole.time_ns, kind="stable")]


def _sizes(codec: str, traces: Sequence[Trace]) -> Sizes:
    tables = [table for trace in traces if (table := trace.sizes(codec)) is not None]
    columns = {name: np.concatenate([table.columns()[name] for table in tables]) for name in tables[0].columns()}
    return Sizes(**columns, meta={key: value for key, value in tables[0].meta.items() if key not in OF_THESE})
