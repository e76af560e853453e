"""The clock, SimPy's, and the processors that run by it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from typing import Any

from simpy import Environment, Event, Timeout

Path = Generator[float, None, None]  # what an operation does: yields how long it keeps its CPU busy, ns
Begin = Callable[..., Path]


class Clock(Environment):
    """SimPy's environment with a short way to be called later: half the cost of a Process."""

    def after(self, delay: float, callback: Callable[[Event], None]) -> None:
        """Call back in `delay` ns."""
        Timeout(self, delay).callbacks.append(callback)


class Processors:
    """CPUs; each runs one operation at a time, to its end or until it sleeps, and then the next one that is ready."""

    def __init__(self, clock: Clock, count: int) -> None:
        self.clock = clock
        self.count = count
        self.ready: deque[tuple[Begin, tuple[Any, ...]]] = deque()
        self.idle = [Cpu(self) for _ in range(count)]

    def run(self, begin: Begin, *given: Any) -> None:
        """Run `begin(*given)` on a CPU, at once if one is idle."""
        if self.idle:
            self.idle.pop().run(begin(*given))
        else:
            self.ready.append((begin, given))


class Cpu:
    """One CPU."""

    __slots__ = ("_after", "_path", "_processors")

    def __init__(self, processors: Processors) -> None:
        self._processors = processors
        self._after = processors.clock.after
        self._path: Path

    def run(self, path: Path) -> None:
        """Run an operation from its beginning."""
        self._path = path
        self._go_on(None)

    def _go_on(self, event: Event | None) -> None:
        for delay in self._path:
            self._after(delay, self._go_on)
            return
        processors = self._processors
        while processors.ready:
            begin, given = processors.ready.popleft()
            self._path = begin(*given)
            for delay in self._path:
                self._after(delay, self._go_on)
                return
        processors.idle.append(self)
