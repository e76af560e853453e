"""A replay on a machine of another size than the recorded one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from allocators import Allocator
from allocators.compiled import arrays
from sim.frontends.base import Frontend
from sim.ram.base import Policy
from sim.ram.loop import closed
from sim.ram.memory import MADE, Ram, new_ram
from sim.replay.detail import Log
from sim.replay.detailed import Moved, cut_at_compactions
from sim.replay.loop import OUTCOME
from sim.replay.replay import Replay
from workloads.traces.events import COMPACT, Events
from workloads.traces.sizes import Sizes

Ints = npt.NDArray[np.int64]


@dataclass
class ClosedReplay(Replay):
    """A replay under way of what still happens: iterating yields batches of events, and their outcomes, as `Replay`.

    `of` int64[n] are the numbers, in the trace, of the recorded events that these belong to: those that they are, or
    those after which a page had to go out. `log` and `moved` are those of `DetailedReplay`, if wanted.
    """

    ram: Ram = field(kw_only=True)
    log: Log | None = None
    moved: dict[int, Moved] = field(default_factory=dict)
    of: Ints = field(default_factory=lambda: np.zeros(0, np.int64))

    def __iter__(self) -> Iterator[tuple[Events, Any]]:
        book = self.ram.book[0]
        made, outcome = arrays.records(self.batch, MADE), arrays.records(self.batch, OUTCOME)
        for events in self.trace.batches(self.batch):
            for part in self._parts(events):
                recorded = events[part]
                book.next = book.settled = 0
                while book.next < len(recorded) or book.made == self.batch:
                    book.made = 0
                    self._go_on(recorded, made, outcome)
                    if count := int(book.made):
                        of = made["of"][:count]
                        self.of = self._done + of
                        yield _events(made[:count], recorded, of), outcome[:count]
                book.made = 0
                self._maintain(len(recorded))

    def _parts(self, events: Events) -> Iterator[slice]:
        parts = super()._parts(events)
        return parts if self.log is None else cut_at_compactions(parts, events)

    def _go_on(self, recorded: Events, made: Any, outcome: Any) -> None:
        before = self.allocator.moved() if self.log is not None and recorded.kind[0] == COMPACT else None
        pages = (self.sizes.size, self.sizes.same_filled, self.sizes.zero_filled)
        columns = (recorded.kind, recorded.slot, recorded.page)
        self.allocator.drive(closed, 1, self.device, self.ram, *columns, *pages, made, outcome, self.log)
        self.moved = {} if before is None else {0: self.allocator.moved() - before}


def closed_replay(
    plain: Replay, policy: Policy, extra: int, *, shared: bool = False, log: Log | None = None
) -> ClosedReplay:
    """A replay not begun, on a machine that has `extra` pages more than the recorded one; `shared` with the pool."""
    trace = plain.trace
    ram = new_ram(policy, trace.n_slots, trace.unique_pages, extra, shared)
    return ClosedReplay(**vars(plain), ram=ram, log=log)


def compile_closed(frontend: Frontend, allocator: Allocator, policy: Policy, log: Log | None = None) -> None:
    """Compile the loop for these types, or load it from the cache, by replaying nothing."""
    sizes = Sizes.given([])
    device = frontend.device(1, allocator, *[sizes] * len(frontend.compressors))
    none = Events.of(kind=[], slot=[], page=[])
    made, outcome = arrays.records(1, MADE)[:0], arrays.records(1, OUTCOME)[:0]
    ram = new_ram(policy, 1, 0, 0, False)
    pages = (sizes.size, sizes.same_filled, sizes.zero_filled)
    allocator.drive(closed, 1, device, ram, none.kind, none.slot, none.page, *pages, made, outcome, log)
    frontend.maintain(device, allocator)


def _events(made: Any, recorded: Events, of: Ints) -> Events:
    """What happens, at the times and in the tasks of the recorded events."""
    time_ns = None if recorded.time_ns is None else recorded.time_ns[of]
    task = None if recorded.task is None else recorded.task[of]
    columns = (np.ascontiguousarray(made[name]) for name in ("kind", "slot", "page"))
    return Events(*columns, time_ns, task)
