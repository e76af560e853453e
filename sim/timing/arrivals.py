"""When operations come: as recorded, or without a pause. Task by task: `sim.timing.tasks`.

Page-outs are kswapd's as long as no more than `backlog` of them wait for it; beyond that whoever needs the memory does
its own (direct reclaim). Without a pause there is no kswapd: every CPU takes what comes next.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Protocol

from simpy import Event, Timeout

from sim.errors import UserError
from sim.timing.engine import Engine, Thread
from sim.timing.work import PAGE_OUT, Work

MOST_INSIDE = 100_000  # operations in the system from which no more are let in


class Arrivals(Protocol):
    """Brings operations into the system."""

    overloaded: bool  # whether it stopped because more came than could be done

    def start(self) -> None:
        """Begin; called before the engine runs."""

    def flushed(self) -> None:
        """A batch of operations has ended."""


class Reclaim:
    """Page-outs: by kswapd while it keeps up, else by whoever needs the memory."""

    def __init__(self, engine: Engine, backlog: int) -> None:
        self.kswapd = Thread(engine)
        self.backlog = backlog
        self.direct = 0

    def takes(self, work: Work, i: int) -> bool:
        """Whether kswapd does this operation; then it has it."""
        if work.operation[i] != PAGE_OUT:
            return False
        if self.kswapd.backlog >= self.backlog:
            self.direct += 1
            return False
        work.background.append(i)
        self.kswapd.give(work, i)
        return True


class Recorded:
    """Every event at its recorded time, divided by `load`, whether or not the one before it has ended."""

    def __init__(self, engine: Engine, works: Iterator[Work], reclaim: Reclaim, load: float = 1.0) -> None:
        self.engine, self.works, self.reclaim, self.load = engine, works, reclaim, load
        self.overloaded = False

    def start(self) -> None:
        """See `Arrivals`."""
        self.engine.clock.process(self._arrivals())

    def flushed(self) -> None:
        """See `Arrivals`."""

    def _arrivals(self) -> Generator[Event, None, None]:
        engine, clock, begin = self.engine, self.engine.clock, None
        for work in self.works:
            if work.time is None:
                raise UserError("arrivals=recorded: the trace has no times; use arrivals closed or saturate")
            begin = work.time[0] if begin is None else begin
            for i, time in enumerate(work.time):
                wait = (time - begin) / self.load - clock.now
                if wait > 0:
                    yield Timeout(clock, wait)
                if engine.inside >= MOST_INSIDE:
                    self.overloaded = True
                    work.cancel(i)
                    if not work.left:
                        engine.flush(work)
                    return
                engine.arrive(work, i)
                if not self.reclaim.takes(work, i):
                    engine.start(work, i, _nobody)


def _nobody() -> None:
    """No task waits for an operation that came by itself."""


class Saturate:
    """Every CPU does the next event of the trace as soon as it is done with one."""

    overloaded = False

    def __init__(self, engine: Engine, works: Iterator[Work]) -> None:
        self.engine = engine
        self.operations = ((work, i) for work in works for i in range(work.events))

    def start(self) -> None:
        """See `Arrivals`."""
        for _ in range(self.engine.processors.count):
            self.next()

    def flushed(self) -> None:
        """See `Arrivals`."""

    def next(self) -> None:
        """Begin the next event, if there is one."""
        for work, i in self.operations:
            self.engine.arrive(work, i)
            self.engine.start(work, i, self.next)
            return
