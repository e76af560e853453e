"""The page allocator: a binary buddy system of orders 0..10, as in the kernel's mm/page_alloc.c.

A free block of 2**k pages is named by its first page number, a multiple of 2**k. Taking a block splits the
smallest one that is large enough, keeping the lower half; giving one back joins it with its buddy for as long
as that is free too. Lists are last in, first out. Migrate types, per-cpu lists and watermarks are left out: they
change which page is handed out, not how many blocks of an order exist in one quiescent zone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from allocators.compiled import arrays, lists
from allocators.compiled.ids import NIL
from allocators.compiled.jit import compiled, entry
from allocators.errors import AllocatorError, CheckFailed

MAX_ORDER = 10
BLOCK = 1 << MAX_ORDER  # pages of the largest block

PAGE = np.dtype([("free", np.int32), ("next", np.int32), ("prev", np.int32)], align=True)
INFO = np.dtype(
    [
        ("pages", np.int64),  # in all
        ("held", np.int64),  # handed out
        ("taken", np.int64),  # held by others for good
        ("unlimited", np.int64),  # whether it grows on demand
        ("allocated", np.int64),  # handed out so far
    ],
    align=True,
)


class Zone(NamedTuple):
    """Physical pages, free and held."""

    page: Any  # PAGE[capacity]; free = 1 + order of the free block that starts here, else 0
    area: Any  # int32[MAX_ORDER + 1]: first free block of each order
    info: Any  # INFO[1]


@compiled
def push(zone: Zone, page: int, order: int) -> None:
    """Put a free block at the head of its order's list."""
    zone.page[page].free = order + 1
    lists.push(zone.page, zone.area, order, page)


@compiled
def remove(zone: Zone, page: int, order: int) -> None:
    """Take a free block off its order's list."""
    zone.page[page].free = 0
    lists.remove(zone.page, zone.area, order, page)


@compiled
def has_room(zone: Zone) -> bool:
    """Whether the arrays have room for one more block of the largest order."""
    return not zone.info[0].unlimited or zone.info[0].pages + BLOCK <= len(zone.page)


@compiled
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
    zone.info[0].allocated += 1 << order
    return page


@compiled
def is_empty(zone: Zone) -> bool:
    """Whether no page is free."""
    info = zone.info[0]
    return not info.unlimited and info.held + info.taken >= info.pages


@compiled
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


class PageZone:
    """A binary buddy system (see `allocators.zone`).

    PageZone() grows on demand. PageZone(pages) has that many and no more. PageZone.fragmented(...) is one of
    which others hold a part, scattered so that high orders fail while single pages are free.
    """

    def __init__(self, pages: int | None = None) -> None:
        if pages is not None and pages < 1:
            raise AllocatorError(f"a zone of {pages} pages: give at least 1")
        self.owner: str | None = None
        count = pages or 0
        self.state = Zone(
            arrays.records(count or 8 * BLOCK, PAGE),
            np.full(MAX_ORDER + 1, NIL, np.int32),
            arrays.records(1, INFO),
        )
        self.state.info["pages"] = self.state.info["held"] = count
        self.state.info["unlimited"] = pages is None
        if pages is not None:
            release(self.state, np.arange(count), 0)

    def claim(self, owner: str) -> None:
        """Register the allocator of this zone. Raises AllocatorError for a second: held pages are counted by zone."""
        if self.owner is not None:
            raise AllocatorError(f"{owner}: the zone belongs to another {self.owner}; give each allocator its own")
        self.owner = owner

    @classmethod
    def fragmented(cls, pages: int, free: int, unusable: float, *, order: int = 1, seed: int = 0) -> PageZone:
        """A zone of `pages` with `free` of them free, scattered at random.

        `unusable` is the kernel's unusable free space index of `order`: the share of the free pages that lie in
        blocks smaller than 2**order pages. The index of order k is then 1 - (1 - unusable)**(k / order): the odds that
        a free block is half of one twice as large are the same at every order. No two free blocks are buddies. Raises
        AllocatorError if the zone cannot be that fragmented.
        """
        if not 0 <= unusable <= 1 or not 1 <= order <= MAX_ORDER or not 0 < free <= pages:
            raise AllocatorError("a fragmented zone: give 0 <= unusable <= 1, 1 <= order <= 10, free <= pages")
        blocks, placed = [0] * (MAX_ORDER + 1), 0
        for k in range(MAX_ORDER, -1, -1):
            usable = free * (1 - unusable) ** (k / order)  # pages in blocks of this order and above
            blocks[k] = max(0, int(usable + 1e-6) - placed) >> k
            placed += blocks[k] << k
        needed = sum(count << min(k + 1, MAX_ORDER) for k, count in enumerate(blocks))
        if needed > pages:
            raise AllocatorError(
                f"a zone of {pages} pages cannot have {free} free at an index of {unusable}: "
                f"give at least {needed} pages"
            )
        zone = cls(pages)
        zone.state.area[:] = NIL
        zone.state.page["free"] = 0
        zone.state.info["held"] = pages
        rng = np.random.default_rng(seed)
        places = rng.permutation(pages >> MAX_ORDER) << MAX_ORDER
        release(zone.state, places[: blocks[MAX_ORDER]], MAX_ORDER)
        places = places[blocks[MAX_ORDER] :]
        for k in range(MAX_ORDER - 1, -1, -1):
            release(zone.state, places[: blocks[k]], k)  # in one half of a place; others hold the other half
            places = places[blocks[k] :]
            rest = [(pages >> k) - 1 << k] if pages >> k & 1 else []  # of a zone that is no multiple of the places
            places = rng.permutation(np.concatenate([places, places + (1 << k), rest]).astype(np.int64))
        zone.state.info["taken"] = zone.state.info["held"]
        zone.state.info["held"] = 0
        return zone

    def free_blocks(self) -> list[int]:
        """Free blocks of each order, as in /proc/buddyinfo."""
        orders = self.state.page["free"][: int(self.state.info[0].pages)]
        return [int((orders == k + 1).sum()) for k in range(MAX_ORDER + 1)]

    def unusable_index(self, order: int) -> float:
        """Share of the free pages in blocks smaller than 2**order pages (mm/vmstat.c, unusable_free_index)."""
        pages = [count << k for k, count in enumerate(self.free_blocks())]
        return sum(pages[:order]) / sum(pages) if sum(pages) else 1.0

    def check(self) -> None:
        """Recount the free lists; raises CheckFailed on a mismatch."""
        listed = 0
        for order in range(MAX_ORDER + 1):
            for page in lists.members(self.state.page, self.state.area, order):
                if self.state.page[page].free != order + 1 or page % (1 << order):
                    raise CheckFailed(f"page allocator: block {page} is on the list of order {order}")
                listed += 1 << order
        info = self.state.info[0]
        if listed + info.held + info.taken != info.pages:
            raise CheckFailed(
                f"page allocator: {listed} free and {info.held + info.taken} held are not {info.pages} pages"
            )
