"""The program's share of a machine: what the pool, which no cgroup is charged for, leaves of its RAM."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from workloads.host.cgroup import MemoryCgroup
from workloads.host.zram import PAGE

FOLLOW_S = 0.002
LEAST = 1 << 20  # bytes of the program, whatever the pool takes


class Share:
    """Holds the limit of a cgroup to `ram` bytes less the pool. Means are over time, while it is followed."""

    def __init__(self, cgroup: MemoryCgroup, pool: Callable[[], int], ram: int) -> None:
        """`pool` tells the bytes that the device takes, whosever the pages."""
        self._cgroup, self._pool, self.ram = cgroup, pool, ram
        self.limit = ram  # in force
        self._limits = [ram]  # least and most
        self._most_over = 0
        self._limit_s = self._over_s = self._least_s = self._seconds = 0.0
        self._busy = 0
        self._at = time.monotonic()

    def follow(self) -> None:
        """Look at the pool and move the limit; what is reclaimed for it goes out in this thread. Raises OSError."""
        pool = self._pool()
        self._count(pool)
        limit = max(self.ram - pool, LEAST) // PAGE * PAGE
        if limit == self.limit:
            return
        if self._cgroup.move(limit):
            self.limit = limit
            self._limits = [min(limit, self._limits[0]), max(limit, self._limits[-1])]
        else:
            self._busy += 1

    def _count(self, pool: int) -> None:
        """What was in force since the last look, against the pool as it has become."""
        now = time.monotonic()
        seconds, self._at = now - self._at, now
        over = max(self.limit + pool - self.ram, 0)
        self._most_over = max(self._most_over, over)
        self._seconds += seconds
        self._limit_s += seconds * self.limit
        self._over_s += seconds * over
        self._least_s += seconds * (self.ram - pool < LEAST)

    def account(self) -> dict[str, Any]:
        """For the source of a trace: limits and what limit and pool together had beyond the RAM, in bytes."""
        seconds = self._seconds or 1.0
        mean = self._limit_s / seconds if self._seconds else self.limit
        return {
            "limits": {"min": self._limits[0], "mean": round(mean), "max": self._limits[-1]},
            "excess": {"mean": round(self._over_s / seconds), "max": self._most_over},
            "too_small": round(self._least_s / seconds, 4),
            "limit_busy": self._busy,
        }
