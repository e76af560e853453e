"""Arrivals in a closed loop: a task's next event comes after its last one has ended, plus its recorded think time.

The think time is the time between two events of a task in the trace. What kswapd does for a task, the task does not
wait for. A trace without tasks is one task. One without times has no think time, and no kswapd either: nothing says
how far it would be ahead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import partial

import numpy as np
from simpy import Event

from sim.errors import UserError
from sim.timing.arrivals import Reclaim
from sim.timing.engine import Engine
from sim.timing.work import Work

MOST_BATCHES = 4  # in memory; a task ahead of all others by more waits for them


class Tasks:
    """All tasks of a trace. Batches are read as tasks run out of events."""

    overloaded = False

    def __init__(self, engine: Engine, works: Iterator[Work], reclaim: Reclaim, load: float = 1.0) -> None:
        self.engine, self.works, self.reclaim, self.load = engine, works, reclaim, load
        self.tasks: dict[int, Task] = {}
        self.batches = 0
        self.begin = 0.0  # recorded time of the first event
        self.seen = False

    def start(self) -> None:
        """See `Arrivals`."""
        self.read()

    def flushed(self) -> None:
        """See `Arrivals`."""
        self.batches -= 1
        if any(task.idle for task in self.tasks.values()):
            self.read()

    def read(self) -> None:
        """Hand the events of the next batch to their tasks, and wake those that had none."""
        work = next(self.works, None) if self.batches < MOST_BATCHES else None
        if work is None:
            return
        self.batches += 1
        task = np.zeros(work.events, np.int64) if work.task is None else np.array(work.task)
        if work.time is None:
            self.reclaim.backlog = 0
        time = np.zeros(work.events) if work.time is None else np.array(work.time)
        if task.min() < 0:
            row = work.start + int((task < 0).argmax())
            raise UserError(f"arrivals=closed: row {row}: task {task.min()} is unknown; use recorded or saturate")
        if not self.seen:
            self.seen, self.begin = True, float(time[0])
        for number in np.unique(task).tolist():
            rows = np.flatnonzero(task == number)
            member = self.tasks.setdefault(number, Task(self))
            think = np.diff(time[rows], prepend=member.last or self.begin) / self.load
            member.last = float(time[rows[-1]])
            member.queue.extend((work, i, t) for i, t in zip(rows.tolist(), think.tolist(), strict=True))
        for member in list(self.tasks.values()):
            if member.idle and member.queue:
                member.next()


class Task:
    """One task."""

    def __init__(self, tasks: Tasks) -> None:
        self.tasks = tasks
        self.queue: deque[tuple[Work, int, float]] = deque()  # operations, each with the think time before it
        self.last: float | None = None  # recorded time of the last event it was given
        self.since = 0.0  # when it began to think, if it has nothing to do
        self.idle = True

    def next(self) -> None:
        """Think, then begin the next operation; and the one after that, if kswapd does this one."""
        clock = self.tasks.engine.clock
        thought = clock.now - self.since if self.idle else 0.0
        while self.queue:
            self.idle = False
            work, i, think = self.queue.popleft()
            if think > thought:
                clock.after(think - thought, partial(self._go_on, work, i))
                return
            thought = 0.0
            if not self._begin(work, i):
                return
        self.idle, self.since = True, clock.now - thought
        self.tasks.read()

    def _go_on(self, work: Work, i: int, event: Event) -> None:
        if self._begin(work, i):
            self.next()

    def _begin(self, work: Work, i: int) -> bool:
        """Begin an operation; whether the task goes on at once."""
        engine = self.tasks.engine
        engine.arrive(work, i)
        if self.tasks.reclaim.takes(work, i):
            return True
        engine.start(work, i, self.next)
        return False
