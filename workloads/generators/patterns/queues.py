"""Slots that are freed in the order of their page-outs: the newest first, or the oldest."""

from __future__ import annotations

from array import array
from collections import deque
from typing import ClassVar

from workloads.generators.draws import Draws, listed, share
from workloads.generators.patterns.base import Count, Pattern, Share, Steps
from workloads.traces.events import FREE, IN, OUT


class Lifo(Pattern, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Page-outs and frees in bursts of up to `burst`; the slot written last is freed first.

    The share `read` of the slots is read before it is freed.
    """

    name: ClassVar[str] = "lifo"
    burst: Count = 64
    read: Share = 0.8

    def steps(self, n: int, slots: int, draws: Draws) -> Steps:
        """See `Pattern.steps`."""
        free, used = array("q", range(slots - 1, -1, -1)), deque[int]()
        coins, lengths = (
            listed(draws.of(what).below(bound, n)) for what, bound in (("coin", 2), ("burst", self.burst))
        )
        luck, read = draws.of("read").parts(n), share(self.read)
        kind, slot = bytearray(), array("q")
        burst = 0
        while len(kind) < n:
            fills = not used or (bool(free) and coins[burst] == 1)
            for _ in range(min(1 + lengths[burst], len(free if fills else used), n - len(kind))):
                at = free.pop() if fills else self._next(used)
                if fills:
                    used.append(at)
                    kind.append(OUT)
                else:
                    free.append(at)
                    if len(kind) < n and luck[len(kind)] < read:
                        kind.append(IN)
                        slot.append(at)
                    kind.append(FREE)
                slot.append(at)
            burst += 1
        return Steps.of(n, kind, slot)

    def _next(self, used: deque[int]) -> int:
        return used.pop()


class Fifo(Lifo, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same, but the slot written first is freed first."""

    name: ClassVar[str] = "fifo"

    def _next(self, used: deque[int]) -> int:
        return used.popleft()
