"""Replay: a trace through a frontend into an allocator, without a clock."""

from __future__ import annotations

from collections.abc import Iterator
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


def replay(
    trace: Trace, sizes: Sizes, frontend: Frontend, allocator: Allocator, batch: int = BATCH
) -> Iterator[tuple[Events, Any]]:
    """Yield the events in batches, each with its outcomes (OUTCOME[n]; overwritten by the next batch).

    The allocator must be new. It keeps its state after the last batch: `allocator.check()`, `allocator.stats()`.
    """
    if allocator.page_size != trace.page_size:
        raise UserError(f"{trace.name}: pages of {trace.page_size} bytes; {allocator.spec} has {allocator.page_size}")
    device = frontend.device(trace.n_slots, allocator)
    buffer = arrays.records(batch, OUTCOME)
    for events in trace.batches(batch):
        outcome = buffer[: len(events)]
        advance(device, allocator, events, sizes, outcome)
        yield events, outcome


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
