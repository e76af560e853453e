"""Slots that are worked on in any order: written when they are empty, else read, overwritten or freed."""

from __future__ import annotations

from array import array
from collections.abc import Callable

from workloads.generators.draws import Draws, share
from workloads.generators.patterns.base import Pattern, Share, Steps
from workloads.traces.events import FREE, IN, OUT


class Working(Pattern, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pattern that chooses a slot at a time.

    A slot in use is overwritten (`overwrite`, a share of the steps), freed unread (`free`), or read; of the reads the
    share `keep` leaves the slot in use, the others free it, as page-ins from zram do.
    """

    overwrite: Share = 0.15
    free: Share = 0.05
    keep: Share = 0.0

    def __post_init__(self) -> None:
        if self.overwrite + self.free > 1:
            raise ValueError("overwrite and free are more than 1 together; give shares of the steps")

    def work(self, n: int, slots: int, choose: Callable[[int, int], int], draws: Draws) -> Steps:
        """Return n events on the slots that `choose(step, events so far)` names."""
        overwrite = share(self.overwrite)
        free, keep = overwrite + share(self.free), share(self.keep)
        luck, kept = draws.of("luck").parts(n), draws.of("keep").parts(n)
        kind, slot = bytearray(), array("q")
        live = bytearray(slots)
        step = 0
        while len(kind) < n:
            at = choose(step, len(kind))
            if not live[at] or luck[step] < overwrite:
                kind.append(OUT)
                live[at] = 1
            elif luck[step] < free:
                kind.append(FREE)
                live[at] = 0
            else:
                kind.append(IN)
                if kept[step] >= keep:
                    kind.append(FREE)
                    slot.append(at)
                    live[at] = 0
            slot.append(at)
            step += 1
        return Steps.of(n, kind, slot)
