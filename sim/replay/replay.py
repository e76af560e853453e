"""Replay: a trace through a frontend into an allocator, without a clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from allocators import Allocator
from allocators.compiled import arrays
from sim.errors import UserError
from sim.frontends.base import Frontend
from sim.replay.loop import OUTCOME
from sim.replay.loop import replay as loop
from workloads.limits import check_slots
from workloads.traces.events import Events
from workloads.traces.sizes import Sizes
from workloads.traces.trace import Trace

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
    _done: int = 0
    _at: int = -1
    _look: Callable[[], None] | None = None

    def look_after(self, event: int, look: Callable[[], None]) -> None:
        """Call `look` when the event of this index has been replayed: the allocator and the device are then at hand."""
        self._at, self._look = event, look

    def __iter__(self) -> Iterator[tuple[Events, Any]]:
        buffer = arrays.records(self.batch, OUTCOME)
        for events in self.trace.batches(self.batch):
            outcome = buffer[: len(events)]
            for part in self._parts(events):
                self._advance(self._in_units(events[part]), outcome[part], part)
                self._passed(part.stop - part.start)
            yield events, outcome

    def _passed(self, events: int) -> None:
        """So many more events are done."""
        self._done += events
        if self._look and self._done == self._at + 1:
            self._look()
        if self.frontend.period and self._done % self.frontend.period == 0:
            self.frontend.maintain(self.device, self.allocator)

    def _advance(self, events: Events, outcome: Any, part: slice) -> None:
        """Replay a part of a batch."""
        advance(self.device, self.allocator, events, self.sizes, outcome)

    def _in_units(self, events: Events) -> Events:
        """The next events, with the numbers of their units, if the frontend stores such."""
        if self.frontend.unit == 1:
            return events
        return self.trace.units(self.frontend.unit).numbered(events, self._done, self.trace.unique_pages)

    def _parts(self, events: Events) -> Iterator[slice]:
        """A batch, cut where the frontend wants maintenance, and where somebody looks."""
        count = len(events)
        period = self.frontend.period or self._done + count
        start = 0
        while start < count:
            stop = min(count, start + period - self._done % period)
            if self._done <= self._at:
                stop = min(stop, start + self._at + 1 - self._done)
            yield slice(start, stop)
            start = stop

    def counters(self) -> dict[str, int]:
        """What happened so far, as the frontend counts it."""
        return self.frontend.stats(self.device)


def replay(
    trace: Trace,
    sizes: Sizes,
    frontend: Frontend,
    allocator: Allocator,
    batch: int = BATCH,
    secondary: Sequence[Sizes] = (),
) -> Replay:
    """The replay of a trace on an empty device over a new allocator, `batch` events at a time.

    `secondary` are sizes by the `compressors` of the frontend. For a frontend of units, `sizes` are those of
    `sim.sizing.units.with_units`. Raises UserError for an allocator of another page size or unit, TraceError for a
    trace with too many slots.
    """
    if allocator.page_size != trace.page_size:
        raise UserError(f"{trace.name}: pages of {trace.page_size} bytes; {allocator.spec} has {allocator.page_size}")
    check_slots(trace.path or trace.name, trace.n_slots)
    frontend = frontend.on(trace)
    if frontend.unit > 1:
        _check_units(trace, sizes, frontend, allocator)
        secondary = (sizes,)
    device = frontend.device(trace.n_slots, allocator, *secondary)
    return Replay(trace, sizes, frontend, allocator, device, batch)


def _check_units(trace: Trace, sizes: Sizes, frontend: Frontend, allocator: Allocator) -> None:
    if allocator.unit != frontend.unit:
        wrong = f"{frontend.spec}: {allocator.spec} takes objects of {allocator.unit} pages, not of {frontend.unit}"
        raise UserError(f"{wrong}; give it unit={frontend.unit}")
    if len(sizes) != trace.unique_pages + len(trace.units(frontend.unit).pages):
        raise UserError(f"{trace.name}: no sizes of units of {frontend.unit} pages; take sim.sizing.units.with_units")


def advance(device: Any, allocator: Allocator, events: Events, sizes: Sizes, outcome: Any, log: Any = None) -> None:
    """Replay events on a device in use; writes `outcome`, OUTCOME[n], and `log` if given (`detail.Log`).

    Their slots and pages must exist.
    """
    pages = (sizes.size, sizes.same_filled, sizes.zero_filled)
    allocator.drive(loop, len(events), device, events.kind, events.slot, events.page, *pages, outcome, log)


def compile_for(frontend: Frontend, allocator: Allocator, log: Any = None) -> None:
    """Compile the loop for these types, or load it from the cache, by replaying nothing."""
    none = Events.of(kind=[], slot=[], page=[])
    outcome = arrays.records(1, OUTCOME)[:0]
    sizes = Sizes.given([])
    device = frontend.device(1, allocator, *[sizes] * len(frontend.compressors))
    advance(device, allocator, none, sizes, outcome, log)
    frontend.maintain(device, allocator)
