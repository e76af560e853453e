"""Passes over all slots in order."""

from __future__ import annotations

from array import array
from collections import deque
from typing import ClassVar

from workloads.generators.draws import Draws, share
from workloads.generators.patterns.base import Count, Pattern, Share, Steps
from workloads.traces.events import FREE, IN, OUT


class Scan(Pattern, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All slots are written in order, then read in order, pass after pass.

    The share `write` of the pages is changed by the scan: the slot is freed, and written again once the scan is
    `window` slots further. The other slots stay in use.
    """

    name: ClassVar[str] = "scan"
    write: Share = 0.3
    window: Count = 32

    def steps(self, n: int, slots: int, draws: Draws) -> Steps:
        """See `Pattern.steps`."""
        filled = min(n, slots)
        kind, slot = bytearray([OUT]) * filled, array("q", range(filled))
        luck, write, window = draws.of("write").parts(n), share(self.write), min(self.window, slots) - 1
        waiting: deque[tuple[int, int]] = deque()
        step = 0
        while len(kind) < n:
            at = step % slots
            kind.append(IN)
            slot.append(at)
            if luck[step] < write:
                kind.append(FREE)
                slot.append(at)
                waiting.append((step + window, at))
            while waiting and waiting[0][0] <= step:
                kind.append(OUT)
                slot.append(waiting.popleft()[1])
            step += 1
        return Steps.of(n, kind, slot)
