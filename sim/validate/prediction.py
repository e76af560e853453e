"""A simulated zram device that is driven step by step."""

from __future__ import annotations

from allocators import Allocator
from allocators.compiled import arrays
from sim.frontends.zram import Zram
from sim.frontends.zram.mmstat import BdStat, predicted, predicted_backing
from sim.replay.loop import OUTCOME
from sim.replay.replay import advance
from workloads.host.mmstat import MmStat
from workloads.traces.events import Events
from workloads.traces.sizes import Sizes


class Prediction:
    """An empty device of `n_slots` slots over a new allocator; pages are numbered as in `sizes`.

    `zram` says how the device is set up, `secondary` are the sizes by its secondary codecs. Writes to its other files
    are done by `sim.frontends.zram.post_processing` on `device`.
    """

    def __init__(
        self, n_slots: int, sizes: Sizes, allocator: Allocator, zram: Zram | None = None, *secondary: Sizes
    ) -> None:
        self.allocator = allocator
        self.sizes = sizes
        self.device = (zram or Zram()).device(n_slots, allocator, *secondary)
        self._outcome = arrays.records(1, OUTCOME)

    def apply(self, events: Events) -> None:
        """Replay a few more events. Their slots and pages must exist."""
        if len(events) > len(self._outcome):
            self._outcome = arrays.records(len(events), OUTCOME)
        advance(self.device, self.allocator, events, self.sizes, self._outcome[: len(events)])

    def mm_stat(self) -> MmStat:
        """The nine fields now."""
        return predicted(self.device, self.allocator)

    def bd_stat(self) -> BdStat:
        """The three fields of the backing device now."""
        return predicted_backing(self.device, self.allocator.page_size)
