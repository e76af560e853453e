"""The size classes of zsmalloc, by era: how long a zspage is and which classes share one.

Sources: drivers/staging/zsmalloc/zsmalloc-main.c (Linux 3.4 and 3.8), mm/zsmalloc.c (4.4, 6.1 and 6.12), and changes
between them: 9eec4cd53f98 merges classes (3.19); 312fcae22703 adds compaction, d3d07c92ff69 its fullness groups (4.1);
ad9d5e175a77 and its parent order lists otherwise and widen the sources of compaction (4.3). Era 2022 is that of patches
that were never merged in this form, "zsmalloc/zram: configurable zspage size", versions 2 to 4 of October 2022. The
tables measured on 3.4, 6.1 and 6.12 are in tests/golden/allocators/classes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from allocators.eras import ON, Span
from allocators.zspages import compaction, pool

MIN_SIZE = 32
CLASS_BITS = 8  # classes lie page_size / 2**8 bytes apart, except in 2012: 16 for pages of 4 KiB

Groups = Callable[[int], list[int]]
"""The fullness group for 0..n objects in use of n: 0 empty, the last one full, higher is fuller."""


class SizeClass(NamedTuple):
    """One size class after merging: `objs` slots of `size` bytes in `pages` pages."""

    class_index: int  # the highest index of the merged group
    size: int
    pages: int
    objs: int


def class_sizes(page_size: int, smallest: int = MIN_SIZE, spacing: int | None = None) -> list[int]:
    """Sizes of all classes before merging, ascending, `spacing` bytes apart (default: 256 steps to a page)."""
    step = spacing or page_size >> CLASS_BITS
    count = -(-(page_size - smallest) // step) + 1
    return [min(smallest + i * step, page_size) for i in range(count)]


def pages_by_percent(size: int, page_size: int, longest: int) -> int:
    """Until 6.2: the length with the highest integer percentage used; the first of equals."""
    best, best_used = 1, 0
    for pages in range(1, longest + 1):
        total = pages * page_size
        used = (total - total % size) * 100 // total
        if used > best_used:
            best, best_used = pages, used
    return best


def pages_by_waste(size: int, page_size: int, longest: int) -> int:
    """Since 6.3: the length with the least absolute waste; a power of two needs no more than one page."""
    if size & (size - 1) == 0:
        return 1
    return min(range(1, longest + 1), key=lambda pages: pages * page_size % size)


def groups_by_quarter(sparse: int) -> Groups:
    """Until 6.3: up to so many quarters of the objects in use, or more."""

    def groups(objs: int) -> list[int]:
        return [0, *(1 if inuse <= sparse * objs // 4 else 2 for inuse in range(1, objs)), 3]

    return groups


def groups_by_tenth(objs: int) -> list[int]:
    """Since 6.4: tenths of the objects in use."""
    return [0, *(100 * inuse // objs // 10 + 1 for inuse in range(1, objs)), 11]


class Era(NamedTuple):
    """What differs between the zsmallocs of the kernel's releases."""

    chain: int  # pages of the longest zspage, unless it is configured
    longest: int  # to which it can be
    pages: Callable[[int, int, int], int]  # of a zspage of a class: by size, page size, chain
    merges: bool  # whether classes of equally many objects in equally many pages are one
    handle_words: int  # machine words stored with each object
    groups: Groups
    tag_bits: int = 0  # of a handle, between the page's number and the object's
    emptier: int = pool.FIRST  # where a zspage goes that is emptier than the head of its list
    compaction: int = compaction.NONE
    spacing: int | None = None  # bytes between size classes (ZS_SIZE_CLASS_DELTA) if it is the same for every page size
    reclaims: bool = False  # whether it gives up the oldest zspage when zswap asks for it (6.2 to 6.4)


_STAGING = Era(4, 4, pages_by_percent, merges=False, handle_words=0, groups=groups_by_quarter(1))
_HANDLES = Era(
    *(4, 4, pages_by_percent),
    merges=True,
    handle_words=1,
    groups=groups_by_quarter(3),
    tag_bits=1,
    compaction=compaction.BY_SOURCE,
)
_TENTHS = Era(
    *(8, 16, pages_by_waste), merges=True, handle_words=1, groups=groups_by_tenth, compaction=compaction.BY_TARGET
)

ERAS = {
    "2012": _STAGING._replace(spacing=16),
    "3.10": _STAGING,  # differs from 2012 in pages of other sizes than 4 KiB only
    "3.19": _STAGING._replace(merges=True),
    "4.1": _HANDLES._replace(compaction=compaction.BY_SPARSE_SOURCE),
    "4.4": _HANDLES._replace(emptier=pool.LAST),
    "6.1": _HANDLES._replace(emptier=pool.SECOND),
    "6.2": _HANDLES._replace(emptier=pool.SECOND, reclaims=True),
    "2022": _HANDLES._replace(emptier=pool.SECOND, longest=16),
    "6.3": _HANDLES._replace(emptier=pool.SECOND, chain=8, longest=16, pages=pages_by_waste, reclaims=True),
    "6.6": _TENTHS._replace(tag_bits=1, reclaims=True),  # of which zswap has no use from 6.5 on
    "6.12": _TENTHS,
}


RELEASES = (
    Span("3.4", "3.8", "2012"),
    Span("3.9", "3.18", "3.10"),
    Span("3.19", "4.0", "3.19"),
    Span("4.1", "4.2", "4.1"),
    Span("4.3", "4.7", "4.4"),
    Span("4.8", "6.1", "6.1"),
    Span("6.2", "6.2", "6.2"),
    Span("6.3", "6.3", "6.3"),
    Span("6.4", "6.8", "6.6"),
    Span("6.9", ON, "6.12"),
)


def smallest_size(era: Era, chain: int, page_size: int, bits: int, physmem_bits: int) -> int:
    """The smallest size class in bytes (ZS_MIN_ALLOC_SIZE): as small as the bits of a handle can number its objects.

    A handle is a machine word of `bits` bits. Of these, the page frame number takes what `physmem_bits` of physical
    address leave beyond those inside a page (MAX_POSSIBLE_PHYSMEM_BITS - PAGE_SHIFT), a tag one more from 4.1
    to 6.8, the object's index the rest.
    """
    frame_bits = physmem_bits - (page_size.bit_length() - 1)
    return max(MIN_SIZE, chain * page_size >> (bits - frame_bits - era.tag_bits))


def zsmalloc_classes(era: Era, chain: int, page_size: int, smallest: int = MIN_SIZE) -> list[SizeClass]:
    """The size classes of one era, ascending; equal shapes merge downward, if they do."""
    classes: list[SizeClass] = []
    for index, size in reversed(list(enumerate(class_sizes(page_size, smallest, era.spacing)))):
        pages = era.pages(size, page_size, chain)
        objs = pages * page_size // size
        if not era.merges or not classes or (classes[-1].pages, classes[-1].objs) != (pages, objs):
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


def class_of_size(classes: list[SizeClass], page_size: int, added: int, unit: int = 1) -> Any:
    """int16[unit * page_size + 1]: the class a request of each size lands in, when `added` bytes are added to it.

    What has room in a page without them is in a class of up to a page with them.
    """
    sizes = np.array([c.size for c in classes])
    size = np.arange(unit * page_size + 1)
    wanted = np.minimum(size + added, np.where(size <= page_size, page_size, unit * page_size))
    return np.searchsorted(sizes, wanted).astype(np.int16)
