"""The engine: operations on CPUs, over SimPy's clock and its events.

A CPU takes the next operation that is ready and runs it until it ends or sleeps; a spinning wait for a lock keeps the
CPU, as in the kernel, and a wait for a compression stream or for the swap device gives it up. Which operations come
when is the business of the arrivals (`sim.timing.arrivals`); what an operation does is that of its path
(`sim.timing.paths`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from sim.timing.devices import Device
from sim.timing.paths import Paths, Then
from sim.timing.processors import Clock, Processors
from sim.timing.resources import DeviceQueue, Lock, Streams
from sim.timing.work import Work


class Engine:
    """`cpus` processors, `locks` allocator locks, `streams` compression streams (None: one a CPU) and a swap device.

    `requests` is the number of writes under way from which their writers wait for them. `flush` is called with each
    batch of operations when the last of them has ended.
    """

    def __init__(
        self,
        cpus: int,
        device: Device,
        *,
        locks: int = 1,
        streams: int | None = None,
        requests: int = 128,
        seed: int = 0,
        flush: Callable[[Work], None] = lambda work: None,
    ) -> None:
        self.clock = Clock()
        self.processors = Processors(self.clock, cpus)
        self.locks = [Lock() for _ in range(locks)]
        self.device = DeviceQueue(device, seed)
        streams = cpus if streams is None else streams
        self._paths = Paths(self.clock, self.processors, self.locks, Streams(streams), self.device, requests, self.end)
        self._worker = Thread(self)  # does what operations spawn
        self.flush = flush
        self.inside = self.most_inside = self.arrivals = self.ends = 0
        self.area = 0.0  # integral of `inside` over time
        self._last = 0.0  # when `inside` last changed

    def run(self) -> None:
        """Run until nothing is left to do."""
        self.clock.run()

    def arrive(self, work: Work, i: int) -> None:
        """An operation has come into the system."""
        now = self.clock.now
        work.arrived[i] = now
        self.area += self.inside * (now - self._last)
        self._last = now
        self.arrivals += 1
        self.inside += 1
        if self.inside > self.most_inside:
            self.most_inside = self.inside

    def start(self, work: Work, i: int, then: Then) -> None:
        """Queue an operation that has arrived for a CPU; `then` is called when its task may go on."""
        self.processors.run(self._paths.operation, work, i, then)

    def end(self, work: Work, i: int) -> None:
        """An operation has left the system; what it spawns arrives."""
        now = self.clock.now
        work.ended[i] = now
        self.area += self.inside * (now - self._last)
        self._last = now
        self.inside -= 1
        self.ends += 1
        if work.spawns:
            for other in work.spawns.get(i, ()):
                self.arrive(work, other)
                self._worker.give(work, other)
        work.left -= 1
        if not work.left:
            self.flush(work)


class Thread:
    """A kernel thread: does operations one after the other, as they are given to it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: deque[tuple[Work, int]] = deque()
        self._busy = False
        self.done = 0

    @property
    def backlog(self) -> int:
        """Operations it was given and has not ended."""
        return len(self._waiting) + self._busy

    def give(self, work: Work, i: int) -> None:
        """Give it an operation that has arrived."""
        if self._busy:
            self._waiting.append((work, i))
        else:
            self._busy = True
            self._engine.start(work, i, self._next)

    def _next(self) -> None:
        self.done += 1
        if self._waiting:
            self._engine.start(*self._waiting.popleft(), self._next)
        else:
            self._busy = False
