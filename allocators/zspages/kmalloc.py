"""kmalloc, the baseline: power-of-two caches."""

from __future__ import annotations

from typing import ClassVar

from allocators.zone import PageZone
from allocators.zspages.allocator import ZspageAllocator
from allocators.zspages.classes import SizeClass


class Kmalloc(ZspageAllocator):
    """The kernel's general-purpose caches: powers of two from 8 bytes, plus 96 and 192.

    Slabs are single pages (SLUB's orders with slub_min_objects=1, the setting that spends least on pages not
    filled). The slab in use is filled first; one that was full joins the end of the partial list; an empty one is
    given back at once. Requests above a page, which swap never makes, are refused. Source: mm/slub.c, 6.1.
    """

    name: ClassVar[str] = "kmalloc"

    def __init__(self, page_size: int = 4096, zone: PageZone | None = None) -> None:
        sizes = sorted({8 << k for k in range(page_size.bit_length() - 3)} | {96, 192})
        classes = [SizeClass(i, size, 1, page_size // size) for i, size in enumerate(sizes)]
        super().__init__(classes, _partial, page_size=page_size, zone=zone, refilled_last=True)


def _partial(objs: int) -> list[int]:
    return [0] + [1] * (objs - 1) + [2]
