"""xvmalloc: a heap of single pages with nearly best fit; zram's and zcache's allocator before zsmalloc."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from allocators.base import KernelAllocator, Placement
from allocators.errors import AllocatorError
from allocators.kernels import arrays, ids, lists
from allocators.kernels import xvmalloc as kernels
from allocators.kernels.ids import NIL
from allocators.zone import PageZone

ROOM = 1024


class Xvmalloc(KernelAllocator):
    """xvmalloc with a header of `align` bytes: 4 (Linux 2.6.37) or 8 (the later 64-bit header)."""

    name: ClassVar[str] = "xvmalloc"
    state: kernels.Blocks

    def __init__(self, align: int = 4, page_size: int = 4096, zone: PageZone | None = None) -> None:
        super().__init__(page_size, zone)
        if align not in (4, 8):
            raise AllocatorError(f"xvmalloc: align={align} is unknown; use 4 or 8")
        self.align = align
        rules = arrays.records(1, kernels.RULES)
        rules["align"], rules["page_size"] = align, page_size
        count = (page_size - align - kernels.SMALLEST) // kernels.SPACING + 1
        self.state = kernels.Blocks(
            zone=self.zone.state,
            rules=rules,
            block=arrays.records(ROOM, kernels.BLOCK),
            blocks=ids.make(ROOM),
            head=np.full(count, NIL, np.int32),
            marks=np.zeros(-(-count // 32), np.int64),
        )

    @property
    def config(self) -> dict[str, Any]:
        """See `Allocator.config`."""
        return {} if self.align == 4 else {"align": self.align}

    def holds(self, handle: int) -> bool:
        """See `KernelAllocator.holds`."""
        used = 0 <= handle < int(self.state.blocks.top[1])
        return used and int(self.state.block[handle].state) == kernels.USED

    def placement(self, handle: int) -> Placement:
        """One range of one page: the object, rounded up to `align`, behind its header."""
        self.require_handle(handle)
        block = self.state.block[handle]
        return Placement(((int(block.page), int(block.offset) + self.align, int(block.width)),))

    def check(self) -> None:
        """Recount pages, the blocks of each, and the free lists."""
        self.zone.check()
        block = self.state.block
        live = ids.in_use(self.state.blocks)
        listed = {b: key for key in range(len(self.state.head)) for b in lists.members(block, self.state.head, key)}
        firsts = [b for b in live if block[b].before == NIL]
        seen = 0
        for first in firsts:
            offset, b, before = 0, first, NIL
            while b != NIL:
                entry = block[b]
                self.require((entry.offset, entry.before) == (offset, before), f"block {b} is out of place")
                free = entry.state == kernels.FREE
                self.require(not (free and before != NIL and block[before].state == kernels.FREE), "not coalesced")
                on_list = free and entry.width >= kernels.SMALLEST
                self.require((b in listed) == on_list, f"block {b} is on no list or a wrong one")
                if on_list:
                    key = min((int(entry.width) - kernels.SMALLEST) // kernels.SPACING, len(self.state.head) - 1)
                    self.require(listed[b] == key, f"block {b} is on list {listed[b]}, not {key}")
                offset += int(entry.width) + self.align
                before, b = b, int(entry.after)
                seen += 1
            self.require(offset == self.page_size, f"the blocks of page {block[first].page} fill {offset} bytes")
        self.require(seen == len(live), "blocks in no page")
        self.require(len(firsts) == self.pages, f"{len(firsts)} pages in use, {self.pages} held")
        for key, head in enumerate(self.state.head):
            marked = bool(self.state.marks[key >> 5] >> (key & 31) & 1)
            self.require(marked == (head != NIL), f"bitmap of list {key}")
