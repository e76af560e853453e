"""Replay: a trace through a frontend into an allocator, without a clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from allocators import Allocator, KernelAllocator
from allocators.kernels import arrays
from sim.errors import UserError
from sim.frontends.base import Frontend
from sim.replay.loop import OUTCOME
from sim.replay.loop import replay as loop
from workloads.events import Events
from workloads.sizes import Sizes
from workloads.trace import Trace

BATCH = 1 << 17  # events


@dataclass
class Replay:
    """A replay under way: iterating over it yields the events in batches, each with its outcomes.

    Outcomes are OUTCOME[n], overwritten by the next batch. The allocator keeps its state after the last batch
    (`allocator.check()`, `allocator.stats()`), and so does the frontend's `device`.
    """

    trace: Trace
    sizes: Sizes
    frontend: Frontend
    allocator: Allocator
    device: Any
    batch: int

    def __iter__(self) -> Iterator[tuple[Events, Any]]:
        buffer = arrays.records(self.batch, OUTCOME)
        for events in self.trace.batches(self.batch):
            outcome = buffer[: len(events)]
            advance(self.device, self.allocator, events, self.sizes, outcome)
            yield events, outcome

    def counters(self) -> dict[str, int]:
        """What happened so far, as the frontend counts it."""
        return self.frontend.stats(self.device)


def replay(trace: Trace, sizes: Sizes, frontend: Frontend, allocator: Allocator, batch: int = BATCH) -> Replay:
    """The replay of a trace on an empty device over a new allocator, `batch` events at a time.

    Raises UserError for an allocator of another page size.
    """
    if allocator.page_size != trace.page_size:
        raise UserError(f"{trace.name}: pages of {trace.page_size} bytes; {allocator.spec} has {allocator.page_size}")
    return Replay(trace, sizes, frontend, allocator, frontend.device(trace.n_slots, allocator), batch)


def advance(device: Any, allocator: Allocator, events: Events, sizes: Sizes, outcome: Any) -> None:
    """Replay events on a device in use; writes `outcome`, OUTCOME[n]. Their slots and pages must exist."""
    pages = (sizes.size, sizes.same_filled, sizes.zero_filled)
    columns = (events.kind, events.slot, events.page, *pages, outcome)
    if isinstance(allocator, KernelAllocator):
        done = loop(device, allocator.state, *columns, 0)
        while done < len(events):
            allocator.grow()
            done = loop(device, allocator.state, *columns, done)
    else:
        in_python = getattr(loop, "py_func", loop)
        in_python(device, allocator, *columns, 0)


def compile_for(frontend: Frontend, allocator: Allocator) -> None:
    """Compile the loop for this pair of types, or load it from the cache, by replaying nothing."""
    if isinstance(allocator, KernelAllocator):
        none = Events.of(kind=[], slot=[], page=[])
        outcome = arrays.records(1, OUTCOME)[:0]
        pages = np.zeros(0, np.int32), np.zeros(0, np.bool_), np.zeros(0, np.bool_)
        loop(frontend.device(1, allocator), allocator.state, none.kind, none.slot, none.page, *pages, outcome, 0)
