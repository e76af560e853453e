"""Size classes above a page, for several pages compressed as one block.

Source: "mm: zsmalloc: support objects compressed based on multiple pages" (T. Zheng and B. Song, March 2024, v2 of
November 2024; never merged). For units of n pages there are further classes up to n * PAGE_SIZE, a 256th of that
apart, over zspages made of blocks of n adjacent pages instead of single ones: as many as waste least, up to the chain.
"""

from __future__ import annotations

from allocators.zspages.classes import CLASS_BITS, Era, SizeClass, class_sizes

LARGEST = 1 << 16  # bytes of a unit
UNITS = (1, 2, 4, 8, 16)


def unit_classes(era: Era, chain: int, page_size: int, unit: int) -> list[SizeClass]:
    """The classes of more than a page, ascending, merged as those of up to a page are."""
    before, block = len(class_sizes(page_size)), unit * page_size
    step = block >> CLASS_BITS
    classes: list[SizeClass] = []
    for nth in range((block - page_size) // step, 0, -1):  # the first of them is a page, which there is already
        size = page_size + nth * step
        blocks = era.pages(size, block, chain)
        objs = blocks * block // size
        if not classes or (classes[-1].pages, classes[-1].objs) != (blocks * unit, objs):
            classes.append(SizeClass(before + nth, size, blocks * unit, objs))
    return classes[::-1]
