"""A spatial sample: some slots of a trace, each with its complete history."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.traces.events import COMPACT, OUT, Events, concat
from workloads.traces.sizes import OF_THESE
from workloads.traces.slots import unless_equal
from workloads.traces.trace import Trace


def sample_slots(trace: Trace, share: float, seed: int) -> Trace:
    """Keep the events of about `share` (0..1] of the slots, chosen by a hash of slot and seed.

    Every kept slot keeps all its events, so lifetimes and overwrites stay true; compactions stay too. Slots
    are renumbered densely in order of first use, what they were called is kept beside them, and only pages that are
    referred to remain. Times and tasks are kept. The sample is in memory; of a content-free trace the sizes are kept as
    well. Samples of memory are of the whole program: they stay only where all slots do.
    """
    if not 0 < share <= 1:
        raise TraceError.at(trace.path or trace.name, f"share {share}", "is out of range", "give 0 < share <= 1")
    events = concat([batch[_keep(batch, share, seed)] for batch in trace.batches()] or [Events.of([], [], [])])
    out = events.kind == OUT
    referred, number = np.unique(events.page[out], return_inverse=True)
    page = events.page.copy()
    page[out] = number
    slot, kept = _dense_slots(events)
    sampled = Events(events.kind, slot, page, events.time_ns, events.task)
    named = trace.original_slots()
    original = kept.astype(np.uint64) if named is None else named[kept]
    source = {
        **trace.source,
        "sample": {
            "share": share,
            "seed": seed,
            "of": {"digest": trace.digest, "unique_pages": trace.unique_pages, **trace.counts},
        },
    }
    pages = _gather(trace, referred) if trace.content else None
    sizes = {}
    for codec in () if trace.content else trace.sizes_codecs():
        table = trace.sizes(codec)
        if table is not None:
            sizes[codec] = table.take(referred.astype(np.int64))
            for key in OF_THESE:  # they told of the pages of the whole trace
                sizes[codec].meta.pop(key, None)
    made = Trace.from_arrays(
        trace.name,
        sampled,
        pages,
        sizes,
        source,
        trace.page_size,
        original_slots=unless_equal(original),
        memory=trace.memory if share == 1 else None,
    )
    made.origin = trace.origin
    return made


def sampled_pages(trace: Trace, share: float, seed: int) -> npt.NDArray[np.int64]:
    """Return the pages that `sample_slots` keeps, by their numbers in `trace`, in the order that they have there."""
    kept = [batch.page[_keep(batch, share, seed) & (batch.kind == OUT)] for batch in trace.batches()]
    return np.unique(np.concatenate(kept or [np.empty(0, np.int32)])).astype(np.int64)


def _keep(events: Events, share: float, seed: int) -> npt.NDArray[np.bool_]:
    """Say which events stay, by the finalizer of splitmix64 (Steele, Lea, Flood 2014) over slot and seed."""
    x = events.slot.astype(np.uint64) + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 % 2**64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x = x ^ (x >> np.uint64(31))
    chosen: npt.NDArray[np.bool_] = (x >> np.uint64(11)) < np.uint64(round(share * 2**53))
    chosen |= events.kind == COMPACT
    return chosen


def _dense_slots(events: Events) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Number the slots in order of first use, compactions stay at 0; and what they were."""
    slot = np.zeros(len(events), np.int64)
    real = events.kind != COMPACT
    distinct, first, inverse = np.unique(events.slot[real], return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(first), np.int64)
    rank[order] = np.arange(len(first))
    slot[real] = rank[inverse]
    return slot, distinct[order]


def _gather(trace: Trace, pages: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    """Copy some pages, given in ascending order, reading each part of the trace once."""
    parts, start = [np.empty((0, trace.page_size), np.uint8)], 0
    for batch in trace.page_batches():
        inside = pages[(pages >= start) & (pages < start + len(batch))] - start
        parts.append(batch[inside])
        start += len(batch)
    return np.concatenate(parts)
