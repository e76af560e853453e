"""The page allocator: a binary buddy system of orders 0..10, as in the kernel's mm/page_alloc.c.

A free block of 2**k pages is named by its first page number, a multiple of 2**k. Taking a block splits the
smallest one that is large enough, keeping the lower half; giving one back joins it with its buddy for as long
as that is free too. Lists are last in, first out. Migrate types, per-cpu lists and watermarks are left out: they
change which page is handed out, not how many blocks of an order exist in one quiescent zone.
"""

from typing import Any, NamedTuple

import numpy as np

from allocators.jit import entry, kernel
from allocators.kernels import arrays, lists
from allocators.kernels.ids import NIL

MAX_ORDER = 10
BLOCK = 1 << MAX_ORDER  # pages of the largest block

PAGE = np.dtype([("free", np.int32), ("next", np.int32), ("prev", np.int32)], align=True)
INFO = np.dtype(
    [
        ("pages", np.int64),  # in all
        ("held", np.int64),  # handed out
        ("taken", np.int64),  # held by others for good
        ("unlimited", np.int64),  # whether it grows on demand
        ("drawn", np.int64),  # handed out so far
    ],
    align=True,
)


class Zone(NamedTuple):
    """Physical pages, free and held."""

    page: Any  # PAGE[capacity]; free = 1 + order of the free block that starts here, else 0
    area: Any  # int32[MAX_ORDER + 1]: first free block of each order
    info: Any  # INFO[1]


@kernel
def push(zone: Zone, page: int, order: int) -> None:
    """Put a free block at the head of its order's list."""
    zone.page[page].free = order + 1
    lists.push(zone.page, zone.area, order, page)


@kernel
def remove(zone: Zone, page: int, order: int) -> None:
    """Take a free block off its order's list."""
    zone.page[page].free = 0
    lists.remove(zone.page, zone.area, order, page)


@kernel
def has_room(zone: Zone) -> bool:
    """Whether the arrays have room for one more block of the largest order."""
    return not zone.info[0].unlimited or zone.info[0].pages + BLOCK <= len(zone.page)


@kernel
def take(zone: Zone, order: int) -> int:
    """First page of a block of 2**order pages, or NIL when none is free."""
    found = order
    while found <= MAX_ORDER and zone.area[found] == NIL:
        found += 1
    if found > MAX_ORDER:
        if not zone.info[0].unlimited:
            return NIL
        found = MAX_ORDER
        page = zone.info[0].pages
        zone.info[0].pages = page + BLOCK
    else:
        page = int(zone.area[found])
        remove(zone, page, found)
    while found > order:
        found -= 1
        push(zone, page + (1 << found), found)
    zone.info[0].held += 1 << order
    zone.info[0].drawn += 1 << order
    return page


@kernel
def is_empty(zone: Zone) -> bool:
    """Whether no page is free."""
    info = zone.info[0]
    return not info.unlimited and info.held + info.taken >= info.pages


@kernel
def give(zone: Zone, page: int, order: int) -> None:
    """Give a block of 2**order pages back and join it with its free buddies."""
    zone.info[0].held -= 1 << order
    while order < MAX_ORDER:
        buddy = page ^ (1 << order)
        if buddy >= zone.info[0].pages or zone.page[buddy].free != order + 1:
            break
        remove(zone, buddy, order)
        page &= ~(1 << order)
        order += 1
    push(zone, page, order)


@entry
def release(zone: Zone, pages: Any, order: int) -> None:
    """Give back many blocks of one order; `pages` int64[n]."""
    for i in range(len(pages)):
        give(zone, pages[i], order)


def grown(zone: Zone) -> Zone:
    """The zone with room for one more block of the largest order."""
    return zone if has_room(zone) else zone._replace(page=arrays.grown(zone.page, BLOCK))
