"""A simulated zram device that is driven step by step."""

from __future__ import annotations

from allocators import Allocator
from allocators.kernels import arrays
from sim.frontends.zram import Zram
from sim.replay.loop import OUTCOME
from sim.replay.replay import advance
from sim.validate.mmstat import predicted
from workloads.events import Events
from workloads.host.mmstat import MmStat
from workloads.sizes import Sizes


class Prediction:
    """An empty device of `n_slots` slots over a new allocator; pages are numbered as in `sizes`."""

    def __init__(self, n_slots: int, sizes: Sizes, allocator: Allocator, mem_limit: int = 0) -> None:
        self.allocator = allocator
        self.sizes = sizes
        self.device = Zram(mem_limit).device(n_slots, allocator)
        self._outcome = arrays.records(1, OUTCOME)

    def apply(self, events: Events) -> None:
        """Replay a few more events. Their slots and pages must exist."""
        if len(events) > len(self._outcome):
            self._outcome = arrays.records(len(events), OUTCOME)
        advance(self.device, self.allocator, events, self.sizes, self._outcome[: len(events)])

    def mm_stat(self) -> MmStat:
        """The nine fields now."""
        return predicted(self.device, self.allocator)
