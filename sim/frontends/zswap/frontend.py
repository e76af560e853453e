"""The frontend `zswap`: its parameters, and a device with the rules of an era."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from allocators import Allocator
from allocators.compiled import arrays
from allocators.compiled.ids import NIL
from allocators.eras import Span, check_era
from sim.frontends.base import NO_LIMIT, LimitedByRam, Pages, counted, empty_slots
from sim.frontends.zswap import rules as _rules  # noqa: F401  # registers them
from sim.frontends.zswap.device import COUNTS, ENTRY, RULES, STATE, ZswapDevice
from sim.frontends.zswap.eras import ERAS, RELEASES
from workloads.traces.sizes import Sizes

HEADER = 8  # struct zswap_header, before each object of a pool that reclaims (to 6.4): which slot it is of
THRESHOLD = 90


class Zswap(LimitedByRam):
    """zswap as of `era`: 5.4, 6.1, 6.6, 6.9, 6.10, 6.12 or 6.18 (mm/zswap.c of these releases).

    `ram_pages` is the memory of the machine in pages, of which the pool may hold `max_pool_percent`; 0 for no limit.
    A pool that reached it takes pages again at `accept_threshold_percent` of the limit. Raises ValueError for a value
    out of range.

    5.4 and 6.1: the pool chooses what is written back, if it can (zbud, z3fold, zsmalloc of 6.2 to 6.4), a page or
    zspage of its own at a time, and each object there has 8 bytes before it; over other allocators a full pool refuses
    pages until some are freed. In 5.4 a
    page-out that finds the pool full waits for that, and there is no threshold; in 6.1 it is refused. 6.6: the oldest
    entries are written back, to the threshold. In these three a load keeps its entry (6.6: as the youngest). From 6.9
    a load frees its entry, so that the slot is empty; the limit of 6.9 is still that of 6.6. Until 6.11 same-filled
    pages are kept by value, unless the pool is full; from 6.12 zero pages are, by swap core (mm/page_io.c), full pool
    or not, pages filled with another value are compressed as any, and the worker spares every entry once. What
    compresses to more than a page, or to more than the allocator takes, is refused; in 6.18 what does not compress
    below a page is stored as it is, if the allocator takes a page.

    A page refused counts as a whole page in density; one written back has left the pool and counts nowhere.
    zsmalloc's own shrinker is not modelled: writeback leaves holes, which the `compact` events of a trace close.
    """

    name: ClassVar[str] = "zswap"
    releases: ClassVar[tuple[Span, ...]] = RELEASES
    unlimited: ClassVar[str] = "no page is refused as the pool is full, or written back"

    def __init__(
        self,
        era: str = "6.18",
        max_pool_percent: int = 20,
        accept_threshold_percent: int = THRESHOLD,
        ram_pages: Pages = 0,
    ) -> None:
        self.era = check_era(self.name, str(era), ERAS, RELEASES)
        for key, percent in (
            ("max_pool_percent", max_pool_percent),
            ("accept_threshold_percent", accept_threshold_percent),
        ):
            if not 0 < percent <= 100:
                raise ValueError(f"{key}={percent}: give 1 to 100")
        if not ERAS[self.era].threshold and accept_threshold_percent != THRESHOLD:
            raise ValueError(f"accept_threshold_percent is not of era={self.era}; leave it out")
        self.max_pool_percent = max_pool_percent
        self.accept_threshold_percent = accept_threshold_percent
        super().__init__(ram_pages)

    def bounds(self) -> tuple[int, int]:
        """The pages held from which the pool is full, and those up to which it takes pages again."""
        if not self._pages:
            return NO_LIMIT, NO_LIMIT
        limit = self._pages * self.max_pool_percent // 100
        era = ERAS[self.era]
        if not era.late:
            return limit, limit * self.accept_threshold_percent // 100
        below = self._pages * self.accept_threshold_percent // 100 * self.max_pool_percent // 100
        return limit + 1, below - 1 if era.threshold else limit

    def device(self, n_slots: int, allocator: Allocator, *secondary: Sizes) -> ZswapDevice:
        """See `Frontend.device`."""
        rules, names = arrays.records(1, RULES), ERAS[self.era].rules
        for name in names:
            rules[name] = True
        rules["page_size"] = allocator.page_size
        rules["full_from"], rules["accept_to"] = self.bounds()
        most = allocator.objects_reclaimed if "by_pool" in names else 0
        rules["header"] = HEADER if most else 0
        return ZswapDevice(
            slots=empty_slots(n_slots),
            rules=rules,
            state=arrays.records(1, STATE),
            counts=arrays.records(1, COUNTS),
            entry=arrays.records(n_slots, ENTRY),
            oldest=np.full(1, NIL, np.int32),
            slot_of=np.full(2 * n_slots if most else 0, NIL, np.int32),
            handles=np.zeros(most, np.int64),
        )

    def stats(self, device: ZswapDevice) -> dict[str, int]:
        """See `Frontend.stats`; and `COUNTS`, named as in the kernel's debugfs where it counts the same."""
        return super().stats(device) | counted(device.counts[0])
