"""Runs of slots that are freed unread, as when a process exits or memory is discarded."""

from __future__ import annotations

from array import array
from typing import ClassVar

from workloads.generators.draws import Draws, listed
from workloads.generators.patterns.base import Count, Pattern, Steps
from workloads.traces.events import FREE, OUT


class Discard(Pattern, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Runs of up to `run` neighbouring slots, written together or freed together; nothing is read.

    A run begins anywhere. If its first slot is empty, its empty slots are written; if not, those in use are freed.
    """

    name: ClassVar[str] = "discard"
    run: Count = 64

    def steps(self, n: int, slots: int, draws: Draws) -> Steps:
        """See `Pattern.steps`."""
        starts, lengths = (
            listed(draws.of(what).below(bound, n)) for what, bound in (("start", slots), ("run", self.run))
        )
        live = bytearray(slots)
        kind, slot = bytearray(), array("q")
        step = 0
        while len(kind) < n:
            start, used = starts[step], live[starts[step]]
            for at in range(start, min(start + 1 + lengths[step], slots, start + n)):
                if live[at] == used:
                    live[at] = 1 - used
                    kind.append(FREE if used else OUT)
                    slot.append(at)
            step += 1
        return Steps.of(n, kind, slot)
