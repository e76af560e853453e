"""`zswap`: a compressed pool in front of a swap device."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from allocators import Allocator
from allocators.kernels import arrays
from allocators.kernels.ids import NIL
from sim.frontends.base import Frontend, counted, empty_slots
from sim.frontends.kernels import zswap as kernels
from workloads.sizes import Sizes

NO_LIMIT = np.iinfo(np.int64).max
ERAS = {
    "6.6": {"drop_first": True},
    "6.10": {"exclusive": True},
    "6.18": {"exclusive": True, "zeros_apart": True, "second_chance": True, "keep_whole": True},
}


class Zswap(Frontend):
    """zswap as of `era`: 6.6, 6.10 or 6.18 (mm/zswap.c of these releases; see `kernels.zswap`).

    `ram_pages` is the memory of the machine in pages, of which the pool may hold `max_pool_percent`; 0 for no limit.
    A pool that reached it takes pages again at `accept_threshold_percent` of the limit. Raises ValueError for a value
    out of range.

    6.6: a load keeps its entry, which becomes the youngest. 6.10: a load frees its entry, so that the slot is empty.
    Both: same-filled pages are kept by value, unless the pool is full, and what compresses to more than a page, or to
    more than the allocator takes, is refused. 6.18: loads as 6.10; what does not compress below a page is stored as it
    is, if the allocator takes a page; zero pages are kept by swap core (mm/page_io.c, from 6.12), full pool or not,
    and pages filled with another value are compressed as any; the worker spares every entry once.

    A page refused counts as a whole page in density; one written back has left the pool and counts nowhere. Before
    6.5 zswap had no list of entries, and the allocator chose what to write back, if it could: not modelled. Nor is
    zsmalloc's own shrinker: writeback leaves holes, which the `compact` events of a trace close.
    """

    name: ClassVar[str] = "zswap"

    def __init__(
        self,
        era: str = "6.18",
        max_pool_percent: int = 20,
        accept_threshold_percent: int = 90,
        ram_pages: int = 0,
    ) -> None:
        self.era = str(era)
        if self.era not in ERAS:
            raise ValueError(f"era={era} is unknown; use {', '.join(ERAS)}")
        for key, percent in (
            ("max_pool_percent", max_pool_percent),
            ("accept_threshold_percent", accept_threshold_percent),
        ):
            if not 0 < percent <= 100:
                raise ValueError(f"{key}={percent}: give 1 to 100")
        if ram_pages < 0:
            raise ValueError(f"ram_pages={ram_pages}: give 0 (no limit) or a number of pages")
        self.max_pool_percent = max_pool_percent
        self.accept_threshold_percent = accept_threshold_percent
        self.ram_pages = ram_pages

    def bounds(self) -> tuple[int, int]:
        """The pages held from which the pool is full, and those up to which it takes pages again."""
        if not self.ram_pages:
            return NO_LIMIT, NO_LIMIT
        limit = self.ram_pages * self.max_pool_percent // 100
        if self.era == "6.6":  # beyond the limit, and strictly below the threshold, which is rounded twice
            return limit + 1, self.ram_pages * self.accept_threshold_percent // 100 * self.max_pool_percent // 100 - 1
        return limit, limit * self.accept_threshold_percent // 100

    def device(self, n_slots: int, allocator: Allocator, *secondary: Sizes) -> kernels.Zswap:
        """See `Frontend.device`."""
        rules = arrays.records(1, kernels.RULES)
        rules["page_size"] = allocator.page_size
        rules["full_from"], rules["accept_to"] = self.bounds()
        for rule, value in ERAS[self.era].items():
            rules[rule] = value
        counts, entry = arrays.records(1, kernels.COUNTS), arrays.records(n_slots, kernels.ENTRY)
        return kernels.Zswap(empty_slots(n_slots), rules, counts, entry, np.full(1, NIL, np.int32))

    def stats(self, device: kernels.Zswap) -> dict[str, int]:
        """See `Frontend.stats`; and `kernels.COUNTS`, named as in the kernel's debugfs where it counts the same."""
        own = counted(device.counts[0])
        del own["reached_full"]
        return super().stats(device) | own
