"""Replay with the details that the timing stage needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from allocators.compiled import arrays
from sim.replay import detail, readahead
from sim.replay.replay import Replay, advance, replay
from workloads.traces.events import COMPACT, Events
from workloads.traces.sizes import Sizes
from workloads.traces.slots import neighbours, positions
from workloads.traces.trace import Trace

Moved = npt.NDArray[np.int64]
Windows = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]
NONE = np.zeros(0, np.int64)
NO_WINDOWS: Windows = (NONE, NONE, NONE)


@dataclass
class DetailedReplay(Replay):
    """A replay that notes in `log` what happened in each event of the batch, and in `moved` what compactions moved.

    `moved`, by the row of the compaction in the batch: what `Allocator.moved` counted in it. What a frontend does
    between events, its post-processing, is noted nowhere.
    """

    log: detail.Log = field(kw_only=True)
    moved: dict[int, Moved] = field(default_factory=dict)

    def _advance(self, events: Events, outcome: Any, part: slice) -> None:
        if not part.start:
            self.moved = {}
        before = self.allocator.moved() if events.kind[0] == COMPACT else None
        log = self.log._replace(row=self.log.row[part])
        advance(self.device, self.allocator, events, self.sizes, outcome, log)
        if before is not None:
            self.moved[part.start] = self.allocator.moved() - before

    def _parts(self, events: Events) -> Iterator[slice]:
        return cut_at_compactions(super()._parts(events), events)


def cut_at_compactions(parts: Iterator[slice], events: Events) -> Iterator[slice]:
    """Cut parts of a batch so that compactions are parts of their own."""
    for part in parts:
        start = part.start
        for at in (part.start + np.flatnonzero(events.kind[part] == COMPACT)).tolist():
            if at > start:
                yield slice(start, at)
            yield slice(at, at + 1)
            start = at + 1
        if start < part.stop:
            yield slice(start, part.stop)


def detailed(*given: Any, page_cluster: int = 0, cache_pages: int = 1, **named: Any) -> DetailedReplay:
    """The replay of `sim.replay.replay.replay` with details.

    Page-ins read windows of 2**page_cluster slots; `cache_pages` of them wait in the swap cache at most.
    """
    plain = replay(*given, **named)
    sizes = (plain.sizes, *named.get("secondary", ()))
    log = new_log(
        plain.batch, plain.trace.n_slots, sizes, page_cluster, cache_pages, windows(plain.trace, page_cluster)
    )
    return DetailedReplay(**vars(plain), log=log)


def windows(trace: Trace, page_cluster: int) -> Windows:
    """The order of the slots on the device and the window of each, as `readahead.Cache` has them."""
    original = trace.original_slots() if page_cluster else None
    if original is None:
        return NO_WINDOWS
    return neighbours(positions(original, trace.page_size), 1 << page_cluster)


def new_log(
    rows: int,
    n_slots: int,
    sizes: Sequence[Sizes],
    page_cluster: int = 0,
    cache_pages: int = 1,
    ahead: Windows = NO_WINDOWS,
) -> detail.Log:
    """An empty log of `rows` events over a device of `n_slots` slots, whose pages have these sizes by each codec.

    `ahead` are the `windows`, where the numbers of the slots do not tell them.
    """
    state = arrays.records(1, readahead.STATE)
    state["window"] = 1 << page_cluster
    cached = n_slots if page_cluster else 0
    cache = readahead.Cache(state, np.zeros(cached, np.int64), np.zeros(max(1, cache_pages), np.int64), *ahead)
    row = arrays.records(rows, detail.DETAIL)
    times = np.stack([table.decompress_ns for table in sizes])
    return detail.Log(row, np.full(n_slots, -1, np.int32), times, cache, np.zeros(detail.HELD, np.int64))
