"""zbud: two objects a page, no more, for the sake of simple reclaim."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from allocators.base import KernelAllocator, Placement
from allocators.errors import AllocatorError
from allocators.kernels import arrays, ids, lists
from allocators.kernels import zbud as kernels
from allocators.kernels.calls import shrink
from allocators.kernels.ids import NIL
from allocators.zone import PageZone

ROOM = 1024


class Zbud(KernelAllocator):
    """zbud of mm/zbud.c (`era` 6.1) or of zcache (2011-12).

    6.1 cuts a page into 64 chunks, one for the header. zcache's chunks are 64 bytes, its header 128, its largest
    object leaves one chunk free, and pages that become empty are kept until `shrink`.
    """

    name: ClassVar[str] = "zbud"
    state: kernels.Buddies

    def __init__(self, era: str = "6.1", page_size: int = 4096, zone: PageZone | None = None) -> None:
        super().__init__(page_size, zone)
        self.era = str(era)
        if self.era not in ("6.1", "zcache"):
            raise AllocatorError(f"zbud: era={era} is unknown; use 6.1 or zcache")
        zcache = self.era == "zcache"
        chunk = 64 if zcache else page_size // 64
        self.header = 128 if zcache else chunk
        chunks = (page_size - self.header) // chunk
        rules = arrays.records(1, kernels.RULES)
        rules["zcache"], rules["chunk"], rules["chunks"] = zcache, chunk, chunks
        rules["largest"] = (chunks - 1) * chunk
        self.state = kernels.Buddies(
            zone=self.zone.state,
            rules=rules,
            page=arrays.records(ROOM, kernels.PAGE),
            pages=ids.make(ROOM),
            head=np.full(chunks + 1, NIL, np.int32),
        )

    @property
    def config(self) -> dict[str, Any]:
        """See `Allocator.config`."""
        return {} if self.era == "6.1" else {"era": self.era}

    def shrink(self) -> int:
        """See `Allocator.shrink`."""
        return int(shrink(self.state))

    def holds(self, handle: int) -> bool:
        """See `KernelAllocator.holds`."""
        p, end = divmod(handle, 2)
        if not 0 <= p < int(self.state.pages.top[1]):
            return False
        page = self.state.page[p]
        return int(page.page) != NIL and int(page.last if end else page.first) > 0

    def placement(self, handle: int) -> Placement:
        """The object's chunks: behind the header, or at the end of the page."""
        self.require_handle(handle)
        page = self.state.page[handle >> 1]
        chunk = int(self.state.rules[0].chunk)
        if handle & 1:
            length = int(page.last) * chunk
            return Placement(((int(page.page), self.page_size - length, length),))
        return Placement(((int(page.page), self.header, int(page.first) * chunk),))

    def check(self) -> None:
        """Recount pages and lists."""
        self.zone.check()
        rules, page = self.state.rules[0], self.state.page
        listed = {p: key for key in range(len(self.state.head)) for p in lists.members(page, self.state.head, key)}
        live = ids.in_use(self.state.pages)
        idle = 0
        for p in live:
            used = int(page[p].first) + int(page[p].last)
            self.require(used <= rules.chunks, f"page {p} holds {used} chunks")
            idle += used == 0
            both = page[p].first > 0 and page[p].last > 0
            self.require((p in listed) != both, f"page {p} is on no list or a wrong one")
            if not both:
                key = used if rules.zcache else int(rules.chunks) - used
                self.require(listed[p] == key, f"page {p} is on list {listed[p]}, not {key}")
        self.require(idle == rules.idle, f"{idle} idle pages, {rules.idle} counted")
        self.require(len(live) == self.pages, f"{len(live)} pages in use, {self.pages} held")

    def stats(self) -> dict[str, int]:
        """Pages, and how many of them are idle."""
        return {"pages": self.pages, "idle_pages": int(self.state.rules[0].idle)}
