"""A replay on a machine of another size than the recorded one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from allocators import Allocator
from allocators.compiled import arrays
from sim.errors import UserError
from sim.frontends.base import Frontend
from sim.ram.base import Policy
from sim.ram.loop import closed
from sim.ram.memory import MADE, Ram, new_ram
from sim.replay.detail import Log
from sim.replay.detailed import DetailedReplay, Moved, cut_at_compactions
from sim.replay.loop import OUTCOME
from sim.replay.replay import Replay
from workloads.traces.events import COMPACT, Events
from workloads.traces.sizes import Sizes

Ints = npt.NDArray[np.int64]


@dataclass
class ClosedReplay(Replay):
    """A replay under way of what still happens: iterating yields batches of events, and their outcomes, as `Replay`.

    `of` int64[n] are the numbers, in the trace, of the recorded events that these belong to: those that they are, or
    those after which a page had to go out; `program` int64[n] the pages that the program holds then. `log` and `moved`
    are those of `DetailedReplay`, if wanted.
    """

    ram: Ram = field(kw_only=True)
    recorded: Callable[[Events], Ints] = field(kw_only=True)  # pages of the recorded memory at each event
    log: Log | None = None
    moved: dict[int, Moved] = field(default_factory=dict)
    of: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    program: Ints = field(default_factory=lambda: np.zeros(0, np.int64))

    def __iter__(self) -> Iterator[tuple[Events, Any]]:
        book = self.ram.book[0]
        made, outcome = arrays.records(self.batch, MADE), arrays.records(self.batch, OUTCOME)
        for events in self.trace.batches(self.batch):
            for part in self._parts(events):
                given = events[part]
                book.next = book.settled = 0
                while book.next < len(given) or book.made == self.batch:
                    book.made = 0
                    self._go_on(given, made, outcome)
                    if count := int(book.made):
                        of = made["of"][:count]
                        self.of, self.program = self._done + of, made["program"][:count]
                        yield _events(made[:count], given, of), outcome[:count]
                book.made = 0
                self._passed(len(given))

    def _parts(self, events: Events) -> Iterator[slice]:
        parts = super()._parts(events)
        return parts if self.log is None else cut_at_compactions(parts, events)

    def _go_on(self, given: Events, made: Any, outcome: Any) -> None:
        before = self.allocator.moved() if self.log is not None and given.kind[0] == COMPACT else None
        pages = (self.sizes.size, self.sizes.same_filled, self.sizes.zero_filled)
        columns = (given.kind, given.slot, given.page, self.recorded(given))
        self.allocator.drive(closed, 1, self.device, self.ram, *columns, *pages, made, outcome, self.log)
        self.moved = {} if before is None else {0: self.allocator.moved() - before}


class Capacity(NamedTuple):
    """A machine of `pages`, `shared` with the pool or not, beside the memory in which the trace was recorded.

    `recorded` are the pages of that memory, or what tells them for each event of a batch. `share` of what the machine
    has beyond them serves the pages that the recorded memory gave up.
    """

    pages: int
    recorded: int | Callable[[Events], Ints]
    policy: Policy
    shared: bool = False
    share: float = 1.0


def closed_replay(plain: Replay, capacity: Capacity) -> ClosedReplay:
    """The closed form of a replay not begun, detailed if that is. Raises UserError for a frontend of units."""
    if plain.frontend.unit > 1:
        raise UserError(f"{plain.frontend.spec}: its units are those of the recorded machine; leave unit out")
    log = plain.log if isinstance(plain, DetailedReplay) else None
    trace, recorded = plain.trace, capacity.recorded
    sizes = (trace.n_slots, trace.unique_pages, capacity.pages)
    ram = new_ram(capacity.policy, *sizes, capacity.shared, capacity.share)
    told = recorded if callable(recorded) else lambda events: np.full(len(events), recorded, np.int64)
    given = {field.name: getattr(plain, field.name) for field in fields(Replay)}
    return ClosedReplay(**given, ram=ram, recorded=told, log=log)


def compile_closed(frontend: Frontend, allocator: Allocator, policy: Policy, log: Log | None = None) -> None:
    """Compile the loop for these types, or load it from the cache, by replaying nothing."""
    sizes = Sizes.given([])
    device = frontend.device(1, allocator, *[sizes] * len(frontend.compressors))
    none = Events.of(kind=[], slot=[], page=[])
    made, outcome = arrays.records(1, MADE)[:0], arrays.records(1, OUTCOME)[:0]
    ram = new_ram(policy, 1, 0, 0, False)
    columns = (none.kind, none.slot, none.page, none.slot)
    pages = (sizes.size, sizes.same_filled, sizes.zero_filled)
    allocator.drive(closed, 1, device, ram, *columns, *pages, made, outcome, log)
    frontend.maintain(device, allocator)


def _events(made: Any, given: Events, of: Ints) -> Events:
    """What happens, at the times and in the tasks of the recorded events."""
    time_ns = None if given.time_ns is None else given.time_ns[of]
    task = None if given.task is None else given.task[of]
    kind, slot, page = (np.ascontiguousarray(made[name]) for name in ("kind", "slot", "page"))
    return Events(kind, slot, page, time_ns, task)
