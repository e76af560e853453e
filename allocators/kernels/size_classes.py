"""The size classes of zsmalloc, by era: how long a zspage is and which classes share one.

Sources: drivers/staging/zsmalloc (Linux 3.3, era 2012), mm/zsmalloc.c (6.1 and 6.12). The tables measured on
those kernels are in tests/golden/allocators/classes.
"""

from typing import Any, NamedTuple

import numpy as np

MIN_SIZE = 32
CLASS_BITS = 8  # classes lie page_size / 2**8 bytes apart: 16 for pages of 4 KiB
HANDLE_BYTES = 8


class SizeClass(NamedTuple):
    """One size class after merging: `objs` slots of `size` bytes in `pages` pages."""

    class_index: int  # the highest index of the merged group
    size: int
    pages: int
    objs: int


def class_sizes(page_size: int) -> list[int]:
    """Sizes of all classes before merging, ascending."""
    step = page_size >> CLASS_BITS
    count = -(-(page_size - MIN_SIZE) // step) + 1
    return [min(MIN_SIZE + i * step, page_size) for i in range(count)]


def pages_by_percent(size: int, page_size: int, longest: int = 4) -> int:
    """2012 and 6.1: the length with the highest integer percentage used; the first of equals."""
    best, best_used = 1, 0
    for pages in range(1, longest + 1):
        total = pages * page_size
        used = (total - total % size) * 100 // total
        if used > best_used:
            best, best_used = pages, used
    return best


def pages_by_waste(size: int, page_size: int, longest: int) -> int:
    """6.12: the length with the least absolute waste; a power of two needs no more than one page."""
    if size & (size - 1) == 0:
        return 1
    return min(range(1, longest + 1), key=lambda pages: pages * page_size % size)


def zsmalloc_classes(era: str, chain: int, page_size: int) -> list[SizeClass]:
    """The size classes of one era, ascending; 2012 does not merge, later eras merge equal shapes downward."""
    classes: list[SizeClass] = []
    sizes = class_sizes(page_size)
    for index in reversed(range(len(sizes))):
        size = sizes[index]
        pages = pages_by_waste(size, page_size, chain) if era == "6.12" else pages_by_percent(size, page_size)
        objs = pages * page_size // size
        if era != "2012" and classes and (classes[-1].pages, classes[-1].objs) == (pages, objs):
            continue
        classes.append(SizeClass(index, size, pages, objs))
    return classes[::-1]


def block_classes(order: int, page_size: int) -> list[SizeClass]:
    """Classes of contiguous blocks of 2**order pages, merged where a block holds equally many objects."""
    pages = 1 << order
    classes: list[SizeClass] = []
    for index, size in reversed(list(enumerate(class_sizes(page_size)))):
        objs = pages * page_size // size
        if not classes or classes[-1].objs != objs:
            classes.append(SizeClass(index, size, pages, objs))
    return classes[::-1]


def class_of_size(classes: list[SizeClass], page_size: int, added: int) -> Any:
    """int16[page_size + 1]: the class a request of each size lands in, when `added` bytes are added to it."""
    sizes = np.array([c.size for c in classes])
    wanted = np.minimum(np.arange(page_size + 1) + added, page_size)
    return np.searchsorted(sizes, wanted).astype(np.int16)


def fullness_groups(era: str, objs: int) -> list[int]:
    """The fullness group for 0..objs objects in use: 0 empty, the last one full, higher is fuller."""
    if era == "6.12":
        partial = [100 * inuse // objs // 10 + 1 for inuse in range(objs)]
        return [0, *partial[1:], 11]
    quarters = {"2012": 1, "6.1": 3}[era]
    partial = [1 if inuse <= quarters * objs // 4 else 2 for inuse in range(objs)]
    return [0, *partial[1:], 3]
