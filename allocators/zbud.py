"""zbud's rules, both kinds: at most two objects a page, one from each end, in 64ths of a page.

Sources: mm/zbud.c (6.1); zbud in drivers/staging/zcache/zcache-main.c (3.0 to 3.5). A handle is 2 * page + end.

6.1 lists its pages by when they last got an object, and reclaims the oldest (zbud_reclaim_page): its owner, zswap
before 6.5, writes both objects back. Evictions do not fail here, hence no retries.
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
from allocators.eras import Span, check_era
from allocators.errors import AllocatorError
from allocators.zone import PageZone

RULES = np.dtype(
    [
        ("by_used", np.int64),  # lists by used chunks, first in first out; else by free ones, last in first out
        ("keep_idle", np.int64),  # pages that become empty are kept
        ("chunk", np.int64),  # bytes
        ("chunks", np.int64),  # usable ones of a page
        ("largest", np.int64),  # object, bytes
        ("idle", np.int64),  # pages kept empty
    ],
    align=True,
)
PAGE = np.dtype(
    [
        ("page", np.int32),  # physical page, NIL for no page
        ("first", np.int32),  # chunks in use at each end
        ("last", np.int32),
        ("next", np.int32),
        ("prev", np.int32),
    ],
    align=True,
)


class ZbudPool(NamedTuple):
    """The state."""

    zone: zone.Zone
    rules: Any  # RULES[1]
    page: Any  # PAGE[capacity]
    pages: ids.Ids
    head: Any  # int32[chunks + 1]: lists of pages with one object; list 0 holds the idle ones
    age: Any  # lists.LINKS[capacity]: all pages, listed by when they last got an object
    oldest: Any  # int32[1]


@compiled
def has_room(pool: ZbudPool) -> bool:
    """Whether one more `alloc` cannot overflow any array."""
    return ids.has_room(pool.pages, 1) and zone.has_room(pool.zone)


def grown(pool: ZbudPool) -> ZbudPool:
    """The pool with room for at least one more `alloc`."""
    pages = ids.grown(pool.pages, 1)
    page, age = (arrays.extended(array, len(pages.link)) for array in (pool.page, pool.age))
    return pool._replace(zone=zone.grown(pool.zone), page=page, pages=pages, age=age)


@compiled
def enlist(pool: ZbudPool, p: int) -> None:
    """Put a page with one object on the list of its free (6.1) or used (zcache) chunks."""
    used = int(pool.page[p].first + pool.page[p].last)
    if pool.rules[0].by_used:
        lists.append(pool.page, pool.head, used, p)
    else:
        lists.push(pool.page, pool.head, pool.rules[0].chunks - used, p)


@compiled
def delist(pool: ZbudPool, p: int) -> None:
    """Take a page with one object off its list."""
    used = int(pool.page[p].first + pool.page[p].last)
    key = used if pool.rules[0].by_used else pool.rules[0].chunks - used
    lists.remove(pool.page, pool.head, key, p)


@compiled
def find(pool: ZbudPool, chunks: int) -> int:
    """A page with one object beside which `chunks` fit, the tightest first, or NIL."""
    most = pool.rules[0].chunks
    if pool.rules[0].by_used:
        for key in range(most - chunks, 0, -1):
            if pool.head[key] != NIL:
                return int(pool.head[key])
    else:
        for key in range(chunks, most):
            if pool.head[key] != NIL:
                return int(pool.head[key])
    return NIL


@compiled
def take_idle(pool: ZbudPool, p: int) -> None:
    """Take a page off the list of idle ones."""
    lists.remove(pool.page, pool.head, 0, p)
    pool.rules[0].idle -= 1


@compiled
def empty_page(pool: ZbudPool) -> int:
    """A page without objects: an idle one, else a new one, or NIL."""
    p = int(pool.head[0])
    if p != NIL:
        take_idle(pool, p)
        return p
    page = zone.take(pool.zone, 0)
    if page == NIL:
        return NIL
    p = ids.take(pool.pages)
    pool.page[p].page = page
    lists.append(pool.age, pool.oldest, 0, p)
    return p


@compiled
def release(pool: ZbudPool, p: int) -> None:
    """Give the physical page back."""
    zone.give(pool.zone, int(pool.page[p].page), 0)
    pool.page[p].page = NIL
    lists.remove(pool.age, pool.oldest, 0, p)
    ids.give(pool.pages, p)


@compiled
def alloc(pool: ZbudPool, size: int) -> int:
    """A handle, or a code of `codes`."""
    rules = pool.rules[0]
    if size < 1 or size > rules.largest:
        return TOO_LARGE
    chunks = -(-size // rules.chunk)
    p = find(pool, chunks)
    if p != NIL:
        delist(pool, p)
        lists.renew(pool.age, pool.oldest, 0, p)
        end = 0 if pool.page[p].first == 0 else 1
    else:
        p = empty_page(pool)
        if p == NIL:
            return NO_MEMORY
        pool.page[p].first = 0
        pool.page[p].last = 0
        end = 0
    alone = pool.page[p].first + pool.page[p].last == 0
    if end == 0:
        pool.page[p].first = chunks
    else:
        pool.page[p].last = chunks
    if alone:
        enlist(pool, p)
    return 2 * p + end


@compiled
def free(pool: ZbudPool, handle: int) -> None:
    """Free a handle that is in use."""
    p = handle >> 1
    page = pool.page[p]
    if page.first == 0 or page.last == 0:
        delist(pool, p)
    if handle & 1:
        page.last = 0
    else:
        page.first = 0
    if page.first + page.last > 0:
        enlist(pool, p)
    elif pool.rules[0].keep_idle:
        lists.push(pool.page, pool.head, 0, p)
        pool.rules[0].idle += 1
    else:
        release(pool, p)


@compiled
def reclaim(pool: ZbudPool, handles: Any) -> int:
    """See `dispatch.Rules`."""
    p = int(pool.oldest[0])
    if p == NIL or pool.rules[0].keep_idle:
        return 0
    page = pool.page[p]
    count = 0
    if page.first:
        handles[count] = 2 * p
        count += 1
    if page.last:
        handles[count] = 2 * p + 1
        count += 1
    if count == 1:
        delist(pool, p)
    page.first = 0
    page.last = 0
    release(pool, p)
    return count


class Era(NamedTuple):
    """What differs between the two."""

    chunk: int | None  # bytes; None for a 64th of a page
    header: int  # chunks
    rules: dict[str, bool]  # of RULES
    objects_reclaimed: int = 0  # see `Allocator`


ERAS = {
    "6.1": Era(None, 1, {}, 2),
    "zcache": Era(64, 2, {"by_used": True, "keep_idle": True}),
}
RELEASES = (Span("3.0", "3.5", "zcache"), Span("3.11", "6.14", "6.1"))


class Zbud(CompiledAllocator):
    """zbud of mm/zbud.c (`era` 6.1) or of zcache (2011-12).

    6.1 cuts a page into 64 chunks, one for the header. zcache's chunks are 64 bytes, its header 128, its largest
    object leaves one chunk free, and pages that become empty are kept for the next object.
    """

    name: ClassVar[str] = "zbud"
    releases: ClassVar[tuple[Span, ...]] = RELEASES
    state: ZbudPool

    def __init__(self, era: str = "6.1", page_size: int = 4096, zone: PageZone | None = None) -> None:
        super().__init__(page_size, zone)
        try:
            self.era = check_era(self.name, str(era), ERAS, RELEASES)
        except ValueError as error:
            raise AllocatorError(f"zbud: {error}") from error
        self.objects_reclaimed = ERAS[self.era].objects_reclaimed
        chunk = ERAS[self.era].chunk or page_size // 64
        self.header = ERAS[self.era].header * chunk
        chunks = (page_size - self.header) // chunk
        rules = arrays.records(1, RULES)
        for rule, value in ERAS[self.era].rules.items():
            rules[rule] = value
        rules["chunk"], rules["chunks"], rules["largest"] = chunk, chunks, (chunks - 1) * chunk
        self.state = ZbudPool(
            zone=self.zone.state,
            rules=rules,
            page=arrays.records(arrays.ROOM, PAGE),
            pages=ids.make(arrays.ROOM),
            head=np.full(chunks + 1, NIL, np.int32),
            age=arrays.records(arrays.ROOM, lists.LINKS),
            oldest=np.full(1, NIL, np.int32),
        )

    def release_idle(self) -> bool:
        """Give an empty page back that was kept; whether there was one."""
        p = int(self.state.head[0])
        if p == NIL:
            return False
        take_idle(self.state, p)
        release(self.state, p)
        return True

    def holds(self, handle: int) -> bool:
        """See `CompiledAllocator.holds`."""
        p, end = divmod(handle, 2)
        if not 0 <= p < int(self.state.pages.top[1]):
            return False
        page = self.state.page[p]
        return int(page.page) != NIL and int(page.last if end else page.first) > 0

    def placement(self, handle: int) -> Placement:
        """The object's chunks: behind the header, or at the end of the page."""
        self.require_handle(handle)
        page = self.state.page[handle >> 1]
        chunk = int(self.state.rules[0].chunk)
        if handle & 1:
            length = int(page.last) * chunk
            return Placement(((int(page.page), self.page_size - length, length),))
        return Placement(((int(page.page), self.header, int(page.first) * chunk),))

    def check(self) -> None:
        """Recount pages and lists."""
        self.zone.check()
        rules, page = self.state.rules[0], self.state.page
        listed = {p: key for key in range(len(self.state.head)) for p in lists.members(page, self.state.head, key)}
        live = ids.in_use(self.state.pages)
        idle = 0
        for p in live:
            used = int(page[p].first) + int(page[p].last)
            self.require(used <= rules.chunks, f"page {p} holds {used} chunks")
            idle += used == 0
            both = page[p].first > 0 and page[p].last > 0
            self.require((p in listed) != both, f"page {p} is on no list or a wrong one")
            if not both:
                key = used if rules.by_used else int(rules.chunks) - used
                self.require(listed[p] == key, f"page {p} is on list {listed[p]}, not {key}")
        self.require(idle == rules.idle, f"{idle} idle pages, {rules.idle} counted")
        self.require(len(live) == self.pages, f"{len(live)} pages in use, {self.pages} held")
        aged = sorted(lists.members(self.state.age, self.state.oldest, 0))
        self.require(aged == live, f"{len(aged)} pages listed by age, {len(live)} in use")

    def stats(self) -> dict[str, int]:
        """Pages, and how many of them are idle."""
        return {"pages": self.pages, "idle_pages": int(self.state.rules[0].idle)}


register_rules(ZbudPool, Rules(alloc, free, has_room, grown, reclaim=reclaim))
