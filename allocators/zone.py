"""The pages that allocators draw from: unlimited, or a zone of N pages with a given fragmentation."""

from __future__ import annotations

import numpy as np

from allocators.errors import AllocatorError, CheckFailed
from allocators.kernels import arrays, lists
from allocators.kernels import zone as kernels
from allocators.kernels.ids import NIL


class PageZone:
    """A buddy system (see `kernels.zone`).

    PageZone() grows on demand. PageZone(pages) has that many and no more. PageZone.fragmented(...) is one of
    which others hold a part, scattered so that high orders fail while single pages are free.
    """

    def __init__(self, pages: int | None = None) -> None:
        if pages is not None and pages < 1:
            raise AllocatorError(f"a zone of {pages} pages: give at least 1")
        self.owner: str | None = None
        count = pages or 0
        self.state = kernels.Zone(
            arrays.records(count or 8 * kernels.BLOCK, kernels.PAGE),
            np.full(kernels.MAX_ORDER + 1, NIL, np.int32),
            arrays.records(1, kernels.INFO),
        )
        self.state.info["pages"] = self.state.info["held"] = count
        self.state.info["unlimited"] = pages is None
        if pages is not None:
            kernels.release(self.state, np.arange(count), 0)

    def claim(self, owner: str) -> None:
        """Note who draws from this zone. Raises AllocatorError for a second one: held pages are counted by zone."""
        if self.owner is not None:
            raise AllocatorError(f"{owner}: the zone belongs to another {self.owner}; give each allocator its own")
        self.owner = owner

    @classmethod
    def fragmented(cls, pages: int, free: int, unusable: float, *, order: int = 1, seed: int = 0) -> PageZone:
        """A zone of `pages` with `free` of them free, scattered at random.

        `unusable` is the kernel's unusable free space index of `order`: the share of the free pages that lie in
        blocks smaller than 2**order pages. Raises AllocatorError if the zone cannot be that fragmented.
        """
        if not 0 <= unusable <= 1 or not 1 <= order <= kernels.MAX_ORDER or not 0 < free <= pages:
            raise AllocatorError("a fragmented zone: give 0 <= unusable <= 1, 1 <= order <= 10, free <= pages")
        block = 1 << order
        blocks = pages // block
        small = round(free * unusable / (block // 2))  # half-free blocks
        whole = round((free - small * (block // 2)) / block)
        if small + whole > blocks:
            raise AllocatorError(
                f"a zone of {pages} pages cannot have {free} free at an index of {unusable}: "
                f"give at least {(small + whole) * block} pages"
            )
        zone = cls(blocks * block)
        chosen = np.random.default_rng(seed).permutation(blocks)[: small + whole] * block
        zone.state.area[:] = NIL
        zone.state.page["free"] = 0
        zone.state.info["held"] = zone.state.info["pages"]
        kernels.release(zone.state, chosen[:small], order - 1)
        kernels.release(zone.state, chosen[small:], order)
        zone.state.info["taken"] = zone.state.info["held"]
        zone.state.info["held"] = 0
        return zone

    def free_blocks(self) -> list[int]:
        """Free blocks of each order, as in /proc/buddyinfo."""
        orders = self.state.page["free"][: int(self.state.info[0].pages)]
        return [int((orders == k + 1).sum()) for k in range(kernels.MAX_ORDER + 1)]

    def unusable_index(self, order: int) -> float:
        """Share of the free pages in blocks smaller than 2**order pages (mm/vmstat.c, unusable_free_index)."""
        pages = [count << k for k, count in enumerate(self.free_blocks())]
        return sum(pages[:order]) / sum(pages) if sum(pages) else 1.0

    def check(self) -> None:
        """Recount the free lists; raises CheckFailed on a mismatch."""
        listed = 0
        for order in range(kernels.MAX_ORDER + 1):
            for page in lists.members(self.state.page, self.state.area, order):
                if self.state.page[page].free != order + 1 or page % (1 << order):
                    raise CheckFailed(f"page allocator: block {page} is on the list of order {order}")
                listed += 1 << order
        info = self.state.info[0]
        if listed + info.held + info.taken != info.pages:
            raise CheckFailed(
                f"page allocator: {listed} free and {info.held + info.taken} held are not {info.pages} pages"
            )
