"""Order-1 blocks: what zsmalloc would be if it asked for pairs of adjacent pages."""

from __future__ import annotations

from typing import ClassVar

from allocators.zone import PageZone
from allocators.zspages import compaction
from allocators.zspages.allocator import ZspageAllocator
from allocators.zspages.classes import block_classes, groups_by_tenth


class Order1(ZspageAllocator):
    """Size classes cut from physically contiguous pairs of pages, with zsmalloc 6.12's lists and compaction.

    No object needs a mapping of its own; but a pair must be found, and under fragmentation the page allocator has
    single pages only. Classes are as far apart as zsmalloc's and merge where a pair holds equally many objects.
    Source: the question of the zsmalloc thread of February 2012.
    """

    name: ClassVar[str] = "order1"

    def __init__(self, page_size: int = 4096, zone: PageZone | None = None) -> None:
        classes = block_classes(1, page_size)
        super().__init__(
            classes, groups_by_tenth, page_size=page_size, zone=zone, order=1, compaction=compaction.BY_TARGET
        )
