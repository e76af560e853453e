"""The ideal allocator: bytes divided by the page size."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from allocators.base import KernelAllocator
from allocators.kernels import arrays, ids
from allocators.kernels import ideal as kernels
from allocators.zone import PageZone

ROOM = 1024


class Ideal(KernelAllocator):
    """No loss at all: the bound that every other allocator is held against. Objects have no place."""

    name: ClassVar[str] = "ideal"
    state: kernels.Bytes

    def __init__(self, page_size: int = 4096, zone: PageZone | None = None) -> None:
        super().__init__(page_size, zone)
        rules = arrays.records(1, kernels.RULES)
        rules["page_size"] = page_size
        self.state = kernels.Bytes(
            zone=self.zone.state,
            rules=rules,
            width=np.zeros(ROOM, np.int32),
            handles=ids.make(ROOM),
            page=np.zeros(ROOM, np.int32),
        )

    def holds(self, handle: int) -> bool:
        """See `KernelAllocator.holds`."""
        return 0 <= handle < int(self.state.handles.top[1]) and int(self.state.width[handle]) > 0

    def check(self) -> None:
        """Recount bytes and pages."""
        self.zone.check()
        total = int(self.state.width[: int(self.state.handles.top[1])].sum())
        self.require(total == int(self.state.rules[0].total), f"{total} bytes in objects")
        self.require(-(-total // self.page_size) == self.pages, f"{total} bytes in {self.pages} pages")
        held = [int(page) for page in self.state.page[: self.pages]]
        self.require(len(set(held)) == len(held), "a page is held twice")
