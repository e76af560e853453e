"""The program's share of a machine: what the pool, which no cgroup is charged for, leaves of its RAM."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from workloads.host.cgroup import MemoryCgroup
from workloads.host.zram import PAGE

FOLLOW_S = 0.002
STEP = (
    1 << 18
)  # bytes by which a limit is lowered at once: a program that allocates may outrun the reclaim of many more
LEAST = 1 << 20  # bytes of the program, whatever the pool takes


class Share:
    """Holds the limit of a cgroup to `ram` bytes less the pool. Means are over the time for which it is followed."""

    def __init__(self, cgroup: MemoryCgroup, pool: Callable[[], int], ram: int) -> None:
        """`pool` tells the bytes that the device takes, whosever the pages."""
        self._cgroup, self._pool, self._ram = cgroup, pool, ram
        self.limit = self._least = self._most = ram  # the limit in force
        self._most_over = self._busy = 0
        self._seconds = self._limit_s = self._over_s = self._small_s = 0.0
        self._at = time.monotonic()

    def follow(self) -> None:
        """Move the limit to what the pool leaves; what that reclaims is paged out by this thread. Raises OSError.

        Where the kernel finds it busy, the limit stays where it is until the next call.
        """
        moved = True
        while moved:
            pool = self._pool()
            self._count(pool)
            target = max(self._ram - pool, LEAST) // PAGE * PAGE
            moved = target != self.limit and self._move(max(target, self.limit - STEP))

    def _move(self, limit: int) -> bool:
        if not self._cgroup.move(limit):
            self._busy += 1
            return False
        self.limit = limit
        self._least, self._most = min(limit, self._least), max(limit, self._most)
        return True

    def _count(self, pool: int) -> None:
        """Count the time since the last look: the limit that was in force, and the pool as it has become."""
        now = time.monotonic()
        seconds, self._at = now - self._at, now
        over = max(self.limit + pool - self._ram, 0)
        self._most_over = max(self._most_over, over)
        self._seconds += seconds
        self._limit_s += seconds * self.limit
        self._over_s += seconds * over
        self._small_s += seconds * (self._ram - pool < LEAST)

    def account(self) -> dict[str, Any]:
        """For the source of a trace, in bytes: the limits, and by how much limit and pool together exceeded the RAM.

        `too_small` is the share of the time in which the pool left less than LEAST, `limit_busy` how often the limit
        could not be lowered.
        """
        seconds = self._seconds or 1.0
        mean = round(self._limit_s / seconds) if self._seconds else self.limit
        return {
            "limits": {"min": self._least, "mean": mean, "max": self._most},
            "excess": {"mean": round(self._over_s / seconds), "max": self._most_over},
            "too_small": round(self._small_s / seconds, 4),
            "limit_busy": self._busy,
        }
