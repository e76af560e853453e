"""What operations wait for: locks, compression streams, the swap device.

All are first come, first served. Where it is known at a request how long something will be held, its release needs no
event: the wait follows at once from the time at which it becomes free. Requests must come in the order of time, which
the engine's clock gives.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from heapq import heapreplace
from typing import Any

import numpy as np

from sim.timing.devices import Device, Service

DRAWS = 4096  # service times drawn at once


class Lock:
    """A spinlock, held for times known beforehand."""

    __slots__ = ("busy", "free_at")

    def __init__(self) -> None:
        self.free_at = 0.0
        self.busy = 0.0  # held in all, ns

    def take(self, now: float, hold: float) -> float:
        """Ask for the lock now, to hold it for `hold` ns; the wait for it in ns."""
        start = self.free_at if self.free_at > now else now
        self.free_at = start + hold
        self.busy += hold
        return start - now


class DeviceQueue:
    """A swap device: serves a number of requests at once; the others wait in line."""

    __slots__ = ("_page", "_reads", "_servers", "_writes", "busy", "depth", "pages_read", "pages_written", "requests")

    def __init__(self, device: Device, seed: int) -> None:
        self.depth = device.queue_depth
        self._servers = [0.0] * device.queue_depth  # when each becomes free
        self._reads = _drawn(device.read, np.random.default_rng([seed, 0]))
        self._writes = _drawn(device.write, np.random.default_rng([seed, 1]))
        self._page = device.page_us * 1e3
        self.busy = 0.0  # service of all requests, ns
        self.requests = self.pages_read = self.pages_written = 0

    def read(self, now: float, pages: int) -> float:
        """Ask for adjacent pages in one request; ns until they are there."""
        self.pages_read += pages
        return self._request(now, next(self._reads) + (pages - 1) * self._page)

    def write(self, now: float, pages: int) -> float:
        """Write adjacent pages in one request; ns until they are written."""
        self.pages_written += pages
        return self._request(now, next(self._writes) + (pages - 1) * self._page)

    def _request(self, now: float, service: float) -> float:
        start = max(now, self._servers[0])
        heapreplace(self._servers, start + service)
        self.busy += service
        self.requests += 1
        return start + service - now


def _drawn(service: Service, rng: np.random.Generator) -> Iterator[float]:
    while True:
        yield from service.draw(rng, DRAWS).tolist()


class Streams:
    """Compression streams under a sleeping lock: an operation that finds none gives up its CPU and queues."""

    __slots__ = ("free", "waiting")

    def __init__(self, count: int) -> None:
        self.free = count
        self.waiting: deque[Any] = deque()

    def take(self) -> bool:
        """Take a stream if one is free."""
        if self.free:
            self.free -= 1
            return True
        return False

    def release(self) -> Any | None:
        """Give a stream back: to the first in line, which is returned, or to nobody."""
        if self.waiting:
            return self.waiting.popleft()
        self.free += 1
        return None
