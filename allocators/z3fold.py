"""z3fold: three objects a page."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from allocators.base import KernelAllocator, Placement
from allocators.kernels import arrays, ids, lists
from allocators.kernels import z3fold as kernels
from allocators.kernels.ids import NIL
from allocators.zone import PageZone

ROOM = 1024
HEADER_BYTES = 88


class Z3fold(KernelAllocator):
    """z3fold of mm/z3fold.c (6.1), its deferred work done after every free."""

    name: ClassVar[str] = "z3fold"
    state: kernels.Trios

    def __init__(self, page_size: int = 4096, zone: PageZone | None = None) -> None:
        super().__init__(page_size, zone)
        rules = arrays.records(1, kernels.RULES)
        chunk = page_size // kernels.CHUNKS
        rules["chunk"], rules["page_size"] = chunk, page_size
        rules["header"] = -(-HEADER_BYTES // chunk)
        self.state = kernels.Trios(
            zone=self.zone.state,
            rules=rules,
            page=arrays.records(ROOM, kernels.PAGE),
            pages=ids.make(ROOM),
            handle=arrays.records(ROOM, kernels.HANDLE),
            handles=ids.make(ROOM),
            head=np.full(kernels.CHUNKS, NIL, np.int32),
        )

    def holds(self, handle: int) -> bool:
        """See `KernelAllocator.holds`."""
        return 0 <= handle < int(self.state.handles.top[1]) and int(self.state.handle[handle].page) != NIL

    def placement(self, handle: int) -> Placement:
        """The object's chunks, or its page from the start if it has no header."""
        self.require_handle(handle)
        entry = self.state.handle[handle]
        page = self.state.page[int(entry.page)]
        place, chunk = int(entry.place), int(self.state.rules[0].chunk)
        length = int(page.chunks[place]) * chunk
        start = {
            kernels.HEADLESS: 0,
            kernels.FIRST: int(self.state.rules[0].header) * chunk,
            kernels.MIDDLE: int(page.start) * chunk,
            kernels.LAST: self.page_size - length,
        }[place]
        return Placement(((int(page.page), start, length),))

    def check(self) -> None:
        """Recount pages, places and lists."""
        self.zone.check()
        state, page = self.state, self.state.page
        listed = {p: key for key in range(len(state.head)) for p in lists.members(page, state.head, key)}
        live = ids.in_use(state.pages)
        owned = 0
        for p in live:
            used = [place for place in range(4) if page[p].chunks[place]]
            handles = [int(page[p].owner[place]) for place in used]
            owned += len(used)
            self.require(bool(used), f"page {p} is empty")
            for place, handle in zip(used, handles, strict=True):
                entry = state.handle[handle]
                self.require((entry.page, entry.place) == (p, place), f"handle {handle} does not point to page {p}")
            foreign = sum(int(state.handle[handle].foreign) for handle in handles)
            self.require(foreign == page[p].foreign, f"page {p} counts {page[p].foreign} foreign, has {foreign}")
            self.require((p in listed) == (len(used) < 3 and used != [kernels.HEADLESS]), f"page {p} is on no list")
            if p in listed:
                key = int(kernels.gap(state, p))
                self.require(listed[p] == key == page[p].key, f"page {p} is on list {listed[p]}, not {key}")
        self.require(owned == len(ids.in_use(state.handles)), f"{owned} objects in pages")
        self.require(len(live) == self.pages, f"{len(live)} pages in use, {self.pages} held")
