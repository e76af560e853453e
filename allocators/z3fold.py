"""z3fold's rules: up to three objects a page, in 64ths of a page.

Source: mm/z3fold.c (6.1). What the kernel leaves to a work queue, tidying a page after a free, is done at once.

Pages are listed by when `alloc` last put an object there, which an object moved by tidying does not count as. Reclaim
(z3fold_reclaim_page) takes the oldest page whose objects were all put there first: zswap before 6.5 writes them back.
Evictions do not fail here, hence no retries.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from allocators import zone
from allocators.base import CompiledAllocator, Placement
from allocators.compiled import arrays, ids, lists
from allocators.compiled.codes import NO_MEMORY, TOO_LARGE
from allocators.compiled.dispatch import Rules, register_rules
from allocators.compiled.ids import NIL
from allocators.compiled.jit import compiled
from allocators.zone import PageZone

HEADER_BYTES = 88
HEADLESS, FIRST, MIDDLE, LAST = 0, 1, 2, 3
CHUNKS = 64  # of a page, header included
GAP = 3  # chunks; the middle object slides only for this much

RULES = np.dtype([("chunk", np.int64), ("header", np.int64), ("page_size", np.int64)], align=True)
PAGE = np.dtype(
    [
        ("page", np.int32),  # physical page, NIL for no page
        ("chunks", np.int32, 4),  # of the object at each place, 0 for none
        ("owner", np.int32, 4),  # the handle of the object at each place
        ("start", np.int32),  # first chunk of the middle object
        ("foreign", np.int32),  # objects that came from another page
        ("key", np.int32),  # the list it is on, or NIL
        ("next", np.int32),
        ("prev", np.int32),
    ],
    align=True,
)
HANDLE = np.dtype([("page", np.int32), ("place", np.int32), ("foreign", np.int32)], align=True)


class Z3foldPool(NamedTuple):
    """The state."""

    zone: zone.Zone
    rules: Any  # RULES[1]; header in chunks
    page: Any  # PAGE[capacity]
    pages: ids.Ids
    handle: Any  # HANDLE[capacity]
    handles: ids.Ids
    head: Any  # int32[CHUNKS]: lists of pages by their largest usable gap
    age: Any  # lists.LINKS[capacity]: all pages, listed by when they last got an object
    oldest: Any  # int32[1]


@compiled
def has_room(pool: Z3foldPool) -> bool:
    """Whether one more `alloc` cannot overflow any array."""
    return ids.has_room(pool.pages, 1) and ids.has_room(pool.handles, 1) and zone.has_room(pool.zone)


def grown(pool: Z3foldPool) -> Z3foldPool:
    """The pool with room for at least one more `alloc`."""
    pages, handles = ids.grown(pool.pages, 1), ids.grown(pool.handles, 1)
    page, age = (arrays.extended(array, len(pages.link)) for array in (pool.page, pool.age))
    handle = arrays.extended(pool.handle, len(handles.link))
    return pool._replace(zone=zone.grown(pool.zone), page=page, pages=pages, handle=handle, handles=handles, age=age)


@compiled
def gap(pool: Z3foldPool, p: int) -> int:
    """Chunks of the largest object that a page still takes."""
    page = pool.page[p]
    if page.chunks[MIDDLE] == 0:
        return CHUNKS - pool.rules[0].header - page.chunks[FIRST] - page.chunks[LAST]
    before = 0 if page.chunks[FIRST] else page.start - pool.rules[0].header
    after = 0 if page.chunks[LAST] else CHUNKS - page.start - page.chunks[MIDDLE]
    return max(before, after)


@compiled
def enlist(pool: Z3foldPool, p: int) -> None:
    """Put a page on the list of its gap, unless all three places are taken."""
    page = pool.page[p]
    if page.chunks[FIRST] and page.chunks[MIDDLE] and page.chunks[LAST]:
        page.key = NIL
    else:
        page.key = gap(pool, p)
        lists.push(pool.page, pool.head, page.key, p)


@compiled
def delist(pool: Z3foldPool, p: int) -> None:
    """Take a page off its list, if it is on one."""
    if pool.page[p].key != NIL:
        lists.remove(pool.page, pool.head, pool.page[p].key, p)
        pool.page[p].key = NIL


@compiled
def find(pool: Z3foldPool, chunks: int) -> int:
    """Take the page with the tightest gap for `chunks` off its list; NIL if there is none."""
    for key in range(chunks, CHUNKS - pool.rules[0].header):
        p = int(pool.head[key])
        if p != NIL:
            delist(pool, p)
            return p
    return NIL


@compiled
def place_for(pool: Z3foldPool, p: int, chunks: int) -> int:
    """Which place of a page that `find` gave an object takes."""
    page = pool.page[p]
    if page.chunks[MIDDLE]:
        if not page.chunks[FIRST] and chunks <= page.start - pool.rules[0].header:
            return FIRST
        return LAST
    if not page.chunks[FIRST]:
        return FIRST
    return MIDDLE if page.chunks[LAST] else LAST


@compiled
def settle(pool: Z3foldPool, p: int, chunks: int, handle: int) -> None:
    """Put an object into a page that is on no list, and enlist the page."""
    page = pool.page[p]
    place = place_for(pool, p, chunks)
    if place == MIDDLE:
        page.start = page.chunks[FIRST] + pool.rules[0].header
    page.chunks[place] = chunks
    page.owner[place] = handle
    pool.handle[handle].page = p
    pool.handle[handle].place = place
    enlist(pool, p)


@compiled
def new_page(pool: Z3foldPool) -> int:
    """A page without objects and in no list, or NIL."""
    number = zone.take(pool.zone, 0)
    if number == NIL:
        return NIL
    p = ids.take(pool.pages)
    page = pool.page[p]
    page.page = number
    for place in range(4):
        page.chunks[place] = 0
    page.foreign = 0
    page.key = NIL
    lists.append(pool.age, pool.oldest, 0, p)
    return p


@compiled
def release(pool: Z3foldPool, p: int) -> None:
    """Give the physical page back."""
    zone.give(pool.zone, int(pool.page[p].page), 0)
    pool.page[p].page = NIL
    lists.remove(pool.age, pool.oldest, 0, p)
    ids.give(pool.pages, p)


@compiled
def alloc(pool: Z3foldPool, size: int) -> int:
    """A handle, or a code of `codes`."""
    rules = pool.rules[0]
    if size < 1 or size > rules.page_size:
        return TOO_LARGE
    chunks = -(-size // rules.chunk)
    headless = size > rules.page_size - (rules.header + 1) * rules.chunk
    p = NIL if headless else find(pool, chunks)
    if p == NIL:
        p = new_page(pool)
        if p == NIL:
            return NO_MEMORY
    else:
        lists.renew(pool.age, pool.oldest, 0, p)
    handle = ids.take(pool.handles)
    pool.handle[handle].foreign = 0
    if headless:
        pool.handle[handle].page = p
        pool.handle[handle].place = HEADLESS
        pool.page[p].chunks[HEADLESS] = chunks
        pool.page[p].owner[HEADLESS] = handle
    else:
        settle(pool, p, chunks, handle)
    return handle


@compiled
def single(pool: Z3foldPool, p: int) -> int:
    """The place of a page's only object, or NIL if it has more."""
    page = pool.page[p]
    found = NIL
    for place in range(FIRST, LAST + 1):
        if page.chunks[place]:
            if found != NIL:
                return NIL
            found = place
    return found


@compiled
def slide(pool: Z3foldPool, p: int) -> None:
    """Move the middle object: to the first place when alone, else up to its neighbour when that gains enough."""
    page = pool.page[p]
    middle = page.chunks[MIDDLE]
    if middle == 0:
        return
    if page.chunks[FIRST] == 0 and page.chunks[LAST] == 0:
        page.chunks[FIRST] = middle
        page.owner[FIRST] = page.owner[MIDDLE]
        page.chunks[MIDDLE] = 0
        pool.handle[page.owner[FIRST]].place = FIRST
    elif page.chunks[FIRST] and page.chunks[LAST] == 0:
        start = page.chunks[FIRST] + pool.rules[0].header
        if page.start - start >= GAP:
            page.start = start
    elif page.chunks[LAST] and page.chunks[FIRST] == 0:
        start = CHUNKS - page.chunks[LAST] - middle
        if start - page.start >= GAP:
            page.start = start


@compiled
def tidy(pool: Z3foldPool, p: int) -> None:
    """What follows a free: move the last object to another page, else make room inside this one."""
    place = NIL if pool.page[p].foreign else single(pool, p)
    if place != NIL:
        chunks = int(pool.page[p].chunks[place])
        other = find(pool, chunks)
        if other != NIL:
            handle = int(pool.page[p].owner[place])
            settle(pool, other, chunks, handle)
            pool.handle[handle].foreign = 1
            pool.page[other].foreign += 1
            release(pool, p)
            return
    slide(pool, p)
    enlist(pool, p)


@compiled
def free(pool: Z3foldPool, handle: int) -> None:
    """Free a handle that is in use."""
    p = int(pool.handle[handle].page)
    page = pool.page[p]
    delist(pool, p)
    page.chunks[pool.handle[handle].place] = 0
    page.foreign -= pool.handle[handle].foreign
    pool.handle[handle].page = NIL
    ids.give(pool.handles, handle)
    if page.chunks[HEADLESS] + page.chunks[FIRST] + page.chunks[MIDDLE] + page.chunks[LAST] == 0:
        release(pool, p)
    else:
        tidy(pool, p)


@compiled
def reclaimable(pool: Z3foldPool) -> int:
    """The oldest page without an object that came from another one, or NIL."""
    first = int(pool.oldest[0])
    p = first
    while p != NIL and pool.page[p].foreign:
        p = int(pool.age[p].next)
        if p == first:
            return NIL
    return p


@compiled
def reclaim(pool: Z3foldPool, handles: Any) -> int:
    """See `dispatch.Rules`."""
    p = reclaimable(pool)
    if p == NIL:
        return 0
    page = pool.page[p]
    delist(pool, p)
    count = 0
    for place in range(4):
        if page.chunks[place]:
            handle = int(page.owner[place])
            handles[count] = handle
            count += 1
            pool.handle[handle].page = NIL
            ids.give(pool.handles, handle)
    release(pool, p)
    return count


class Z3fold(CompiledAllocator):
    """z3fold of mm/z3fold.c (6.1), its deferred work done after every free."""

    name: ClassVar[str] = "z3fold"
    objects_reclaimed = 3
    state: Z3foldPool

    def __init__(self, page_size: int = 4096, zone: PageZone | None = None) -> None:
        super().__init__(page_size, zone)
        rules = arrays.records(1, RULES)
        chunk = page_size // CHUNKS
        rules["chunk"], rules["page_size"] = chunk, page_size
        rules["header"] = -(-HEADER_BYTES // chunk)
        self.state = Z3foldPool(
            zone=self.zone.state,
            rules=rules,
            page=arrays.records(arrays.ROOM, PAGE),
            pages=ids.make(arrays.ROOM),
            handle=arrays.records(arrays.ROOM, HANDLE),
            handles=ids.make(arrays.ROOM),
            head=np.full(CHUNKS, NIL, np.int32),
            age=arrays.records(arrays.ROOM, lists.LINKS),
            oldest=np.full(1, NIL, np.int32),
        )

    def holds(self, handle: int) -> bool:
        """See `CompiledAllocator.holds`."""
        return 0 <= handle < int(self.state.handles.top[1]) and int(self.state.handle[handle].page) != NIL

    def placement(self, handle: int) -> Placement:
        """The object's chunks, or its page from the start if it has no header."""
        self.require_handle(handle)
        entry = self.state.handle[handle]
        page = self.state.page[int(entry.page)]
        place, chunk = int(entry.place), int(self.state.rules[0].chunk)
        length = int(page.chunks[place]) * chunk
        start = {
            HEADLESS: 0,
            FIRST: int(self.state.rules[0].header) * chunk,
            MIDDLE: int(page.start) * chunk,
            LAST: self.page_size - length,
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
            self.require((p in listed) == (len(used) < 3 and used != [HEADLESS]), f"page {p} is on no list")
            if p in listed:
                key = int(gap(state, p))
                self.require(listed[p] == key == page[p].key, f"page {p} is on list {listed[p]}, not {key}")
        self.require(owned == len(ids.in_use(state.handles)), f"{owned} objects in pages")
        self.require(len(live) == self.pages, f"{len(live)} pages in use, {self.pages} held")
        aged = sorted(lists.members(state.age, state.oldest, 0))
        self.require(aged == live, f"{len(aged)} pages listed by age, {len(live)} in use")


register_rules(Z3foldPool, Rules(alloc, free, has_room, grown, reclaim=reclaim))
