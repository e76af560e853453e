"""Any tail of one page with any head of another: zsmalloc as it was first understood.

The mail of 8 February 2012 that asked for a comparison describes an allocator that takes X unused bytes at the end
of any page and Y unused bytes at the beginning of any other and stores X + Y bytes in them, all rounded to 16. This is
that allocator, taken literally: the best-fitting single run at an end of a page; else the longest tail with the
best-fitting head; else the longest tail with the head of a new page. A hole inside a page is lost until it grows to
an end of it. A fragment's record is a handle if it is the first of its object.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from allocators import zone
from allocators.base import CompiledAllocator, Placement
from allocators.compiled import arrays, bitmap, ids, lists
from allocators.compiled.codes import NO_MEMORY, TOO_LARGE
from allocators.compiled.dispatch import Rules, register_rules
from allocators.compiled.ids import NIL
from allocators.compiled.jit import compiled
from allocators.zone import PageZone

UNIT = 16  # bytes

RULES = np.dtype([("units", np.int64)], align=True)  # of a page
FRAGMENT = np.dtype(
    [
        ("page", np.int32),
        ("start", np.int32),  # in units
        ("width", np.int32),
        ("state", np.int32),  # FREE, FIRST or SECOND part of an object, NIL for no fragment
        ("second", np.int32),  # the object's other fragment, or NIL
        ("before", np.int32),  # neighbours in the page
        ("after", np.int32),
        ("next", np.int32),  # in the list of its run
        ("prev", np.int32),
    ],
    align=True,
)
FREE, FIRST, SECOND = 0, 1, 2


class Runs(NamedTuple):
    """Free runs at one end of the pages, by width."""

    head: Any  # int32[units + 1]
    marks: Any  # bitmap of the widths there are


class CoalescePool(NamedTuple):
    """The state."""

    zone: zone.Zone
    rules: Any  # RULES[1]
    fragment: Any  # FRAGMENT[capacity]
    fragments: ids.Ids
    heads: Runs
    tails: Runs


@compiled
def has_room(pool: CoalescePool) -> bool:
    """One `alloc` makes three fragments at most: two parts and a remainder."""
    return ids.has_room(pool.fragments, 3) and zone.has_room(pool.zone)


@compiled
def spans(pool: CoalescePool, handle: int) -> bool:
    """Whether an object has a second part."""
    return pool.fragment[handle].second != NIL


def grown(pool: CoalescePool) -> CoalescePool:
    """The pool with room for at least one more `alloc`."""
    fragments = ids.grown(pool.fragments, 3)
    fragment = arrays.extended(pool.fragment, len(fragments.link))
    return pool._replace(zone=zone.grown(pool.zone), fragment=fragment, fragments=fragments)


@compiled
def runs_of(pool: CoalescePool, f: int) -> int:
    """Where a free fragment is listed: 1 a head, 2 a tail, 0 nowhere."""
    if pool.fragment[f].before == NIL:
        return 1
    return 2 if pool.fragment[f].after == NIL else 0


@compiled
def insert(pool: CoalescePool, runs: Runs, f: int) -> None:
    """List a free run."""
    width = int(pool.fragment[f].width)
    lists.push(pool.fragment, runs.head, width, f)
    bitmap.mark(runs.marks, width)


@compiled
def remove(pool: CoalescePool, runs: Runs, f: int) -> None:
    """Take a free run off its list."""
    width = int(pool.fragment[f].width)
    lists.remove(pool.fragment, runs.head, width, f)
    if runs.head[width] == NIL:
        bitmap.clear(runs.marks, width)


@compiled
def enlist(pool: CoalescePool, f: int) -> None:
    """List a free fragment if it lies at an end of its page."""
    where = runs_of(pool, f)
    if where == 1:
        insert(pool, pool.heads, f)
    elif where == 2:
        insert(pool, pool.tails, f)


@compiled
def delist(pool: CoalescePool, f: int) -> None:
    """Take a free fragment off its list, if it is on one."""
    where = runs_of(pool, f)
    if where == 1:
        remove(pool, pool.heads, f)
    elif where == 2:
        remove(pool, pool.tails, f)


@compiled
def new_page(pool: CoalescePool) -> int:
    """A page as one free fragment that is on no list, or NIL."""
    page = zone.take(pool.zone, 0)
    if page == NIL:
        return NIL
    f = ids.take(pool.fragments)
    fragment = pool.fragment[f]
    fragment.page = page
    fragment.start = 0
    fragment.width = pool.rules[0].units
    fragment.state = FREE
    fragment.before = NIL
    fragment.after = NIL
    return f


@compiled
def cut(pool: CoalescePool, f: int, width: int) -> int:
    """Split a fragment that is on no list after `width` units; the second half."""
    r = ids.take(pool.fragments)
    fragment, rest = pool.fragment[f], pool.fragment[r]
    rest.page = fragment.page
    rest.start = fragment.start + width
    rest.width = fragment.width - width
    rest.state = FREE
    rest.before = f
    rest.after = fragment.after
    if fragment.after != NIL:
        pool.fragment[fragment.after].before = r
    fragment.after = r
    fragment.width = width
    return r


@compiled
def use(pool: CoalescePool, f: int, width: int) -> int:
    """Take `width` units of a free run that is on no list, on the side of its neighbour; enlist what is left."""
    fragment = pool.fragment[f]
    if fragment.width == width:
        return f
    if fragment.before == NIL and fragment.after != NIL:
        taken = cut(pool, f, fragment.width - width)
        enlist(pool, f)
        return taken
    enlist(pool, cut(pool, f, width))
    return f


@compiled
def longest_tail(pool: CoalescePool) -> int:
    """The longest tail, or NIL."""
    for width in range(pool.rules[0].units, 0, -1):
        if pool.tails.head[width] != NIL:
            return int(pool.tails.head[width])
    return NIL


@compiled
def other_head(pool: CoalescePool, tail: int, width: int) -> int:
    """The tightest head of at least `width` in another page than `tail`, or NIL."""
    key = bitmap.at_or_above(pool.heads.marks, width)
    while key != NIL:
        f = int(pool.heads.head[key])
        if pool.fragment[f].page == pool.fragment[tail].page:
            f = int(pool.fragment[f].next)  # a page has one head only, so the next is another page's
        if pool.fragment[f].page != pool.fragment[tail].page:
            return f
        key = bitmap.at_or_above(pool.heads.marks, key + 1)
    return NIL


@compiled
def alloc(pool: CoalescePool, size: int) -> int:
    """A handle, or a code of `codes`."""
    units = -(-size // UNIT)
    if size < 1 or units > pool.rules[0].units:
        return TOO_LARGE
    head = bitmap.at_or_above(pool.heads.marks, units)
    tail = bitmap.at_or_above(pool.tails.marks, units)
    if tail != NIL and (head == NIL or tail <= head):
        f = int(pool.tails.head[tail])
        remove(pool, pool.tails, f)
        f = use(pool, f, units)
        second = NIL
    elif head != NIL:
        f = int(pool.heads.head[head])
        remove(pool, pool.heads, f)
        f = use(pool, f, units)
        second = NIL
    else:
        f = longest_tail(pool)
        second = NIL
        if f != NIL:
            second = other_head(pool, f, units - pool.fragment[f].width)
        if second != NIL:
            remove(pool, pool.heads, second)
        else:
            second = new_page(pool)
            if second == NIL:
                return NO_MEMORY
        if f == NIL:
            f = use(pool, second, units)
            second = NIL
        else:
            remove(pool, pool.tails, f)
            second = use(pool, second, units - pool.fragment[f].width)
            pool.fragment[second].state = SECOND
    pool.fragment[f].state = FIRST
    pool.fragment[f].second = second
    return f


@compiled
def absorb(pool: CoalescePool, f: int) -> None:
    """Merge the fragment after `f`, which is on no list, into it."""
    gone = int(pool.fragment[f].after)
    pool.fragment[f].width += pool.fragment[gone].width
    pool.fragment[f].after = pool.fragment[gone].after
    if pool.fragment[f].after != NIL:
        pool.fragment[pool.fragment[f].after].before = f
    pool.fragment[gone].state = NIL
    ids.give(pool.fragments, gone)


@compiled
def discard(pool: CoalescePool, f: int) -> None:
    """Free one fragment: merge it with free neighbours, release its page if that is all of it."""
    after = int(pool.fragment[f].after)
    if after != NIL and pool.fragment[after].state == FREE:
        delist(pool, after)
        absorb(pool, f)
    before = int(pool.fragment[f].before)
    if before != NIL and pool.fragment[before].state == FREE:
        delist(pool, before)
        absorb(pool, before)
        f = before
    if pool.fragment[f].width == pool.rules[0].units:
        zone.give(pool.zone, int(pool.fragment[f].page), 0)
        pool.fragment[f].state = NIL
        ids.give(pool.fragments, f)
    else:
        pool.fragment[f].state = FREE
        enlist(pool, f)


@compiled
def free(pool: CoalescePool, handle: int) -> None:
    """Free a handle that is in use."""
    second = int(pool.fragment[handle].second)
    discard(pool, handle)
    if second != NIL:
        discard(pool, second)


class Coalesce(CompiledAllocator):
    """The allocator that the thread of February 2012 imagined: neighbours that are freed become one."""

    name: ClassVar[str] = "coalesce"
    state: CoalescePool

    def __init__(self, page_size: int = 4096, zone: PageZone | None = None) -> None:
        super().__init__(page_size, zone)
        units = page_size // UNIT
        rules = arrays.records(1, RULES)
        rules["units"] = units

        def runs() -> Runs:
            return Runs(np.full(units + 1, NIL, np.int32), np.zeros(units // 32 + 1, np.int64))

        self.state = CoalescePool(
            zone=self.zone.state,
            rules=rules,
            fragment=arrays.records(arrays.ROOM, FRAGMENT),
            fragments=ids.make(arrays.ROOM),
            heads=runs(),
            tails=runs(),
        )

    def holds(self, handle: int) -> bool:
        """See `CompiledAllocator.holds`."""
        made = 0 <= handle < int(self.state.fragments.top[1])
        return made and int(self.state.fragment[handle].state) == FIRST

    def placement(self, handle: int) -> Placement:
        """One range, or a tail and a head."""
        self.require_handle(handle)
        fragment = self.state.fragment
        parts = [f for f in (handle, int(fragment[handle].second)) if f != NIL]
        unit = UNIT
        return Placement(
            tuple((int(fragment[f].page), int(fragment[f].start) * unit, int(fragment[f].width) * unit) for f in parts)
        )

    def check(self) -> None:
        """Recount pages, the fragments of each, and the lists of runs."""
        self.zone.check()
        fragment = self.state.fragment
        live = ids.in_use(self.state.fragments)
        listed = {
            f: (end, width)
            for end, runs in enumerate((self.state.heads, self.state.tails))
            for width in range(len(runs.head))
            for f in lists.members(fragment, runs.head, width)
        }
        firsts = [f for f in live if fragment[f].before == NIL]
        seen = 0
        for first in firsts:
            offset, f, before = 0, first, NIL
            while f != NIL:
                entry = fragment[f]
                self.require((entry.start, entry.before) == (offset, before), f"fragment {f} is out of place")
                free = entry.state == FREE
                self.require(not (free and before != NIL and fragment[before].state == FREE), "not merged")
                end = 0 if entry.before == NIL else 1
                at_end = free and NIL in (entry.before, entry.after)
                self.require(listed.get(f) == ((end, int(entry.width)) if at_end else None), f"lists of run {f}")
                offset += int(entry.width)
                before, f = f, int(entry.after)
                seen += 1
            self.require(offset == self.state.rules[0].units, f"page {fragment[first].page} fills {offset} units")
        self.require(seen == len(live), "fragments in no page")
        self.require(len(firsts) == self.pages, f"{len(firsts)} pages in use, {self.pages} held")


register_rules(CoalescePool, Rules(alloc, free, has_room, grown, spans=spans))
