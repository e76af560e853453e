"""zbud's rules, both kinds: at most two objects a page, one from each end, in 64ths of a page.

Sources: mm/zbud.c (6.1); zbud in drivers/staging/zcache/zcache-main.c (3.0 to 3.5). A handle is 2 * page + end.
"""

from typing import Any, NamedTuple

import numpy as np

from allocators.jit import kernel
from allocators.kernels import arrays, ids, lists, zone
from allocators.kernels.codes import NO_MEMORY, TOO_LARGE
from allocators.kernels.ids import NIL

RULES = np.dtype(
    [
        ("zcache", np.int64),  # keyed by used chunks, first in first out, empty pages kept
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


class Buddies(NamedTuple):
    """A pool."""

    zone: zone.Zone
    rules: Any  # RULES[1]
    page: Any  # PAGE[capacity]
    pages: ids.Ids
    head: Any  # int32[chunks + 1]: lists of pages with one object; list 0 holds the idle ones


@kernel
def has_room(pool: Buddies) -> bool:
    """Whether one more `alloc` cannot overflow any array."""
    return ids.has_room(pool.pages, 1) and zone.has_room(pool.zone)


def grown(pool: Buddies) -> Buddies:
    """The pool with room for at least one more `alloc`."""
    pages = ids.grown(pool.pages, 1)
    more = len(pages.link) - len(pool.page)
    page = arrays.grown(pool.page, more) if more else pool.page
    return pool._replace(zone=zone.grown(pool.zone), page=page, pages=pages)


@kernel
def enlist(pool: Buddies, p: int) -> None:
    """Put a page with one object on the list of its free (6.1) or used (zcache) chunks."""
    used = int(pool.page[p].first + pool.page[p].last)
    if pool.rules[0].zcache:
        lists.append(pool.page, pool.head, used, p)
    else:
        lists.push(pool.page, pool.head, pool.rules[0].chunks - used, p)


@kernel
def delist(pool: Buddies, p: int) -> None:
    """Take a page with one object off its list."""
    used = int(pool.page[p].first + pool.page[p].last)
    key = used if pool.rules[0].zcache else pool.rules[0].chunks - used
    lists.remove(pool.page, pool.head, key, p)


@kernel
def find(pool: Buddies, chunks: int) -> int:
    """A page with one object beside which `chunks` fit, the tightest first, or NIL."""
    most = pool.rules[0].chunks
    if pool.rules[0].zcache:
        for key in range(most - chunks, 0, -1):
            if pool.head[key] != NIL:
                return int(pool.head[key])
    else:
        for key in range(chunks, most):
            if pool.head[key] != NIL:
                return int(pool.head[key])
    return NIL


@kernel
def empty_page(pool: Buddies) -> int:
    """A page without objects: an idle one, else a new one, or NIL."""
    p = int(pool.head[0])
    if pool.rules[0].zcache and p != NIL:
        lists.remove(pool.page, pool.head, 0, p)
        pool.rules[0].idle -= 1
        return p
    page = zone.take(pool.zone, 0)
    if page == NIL:
        return NIL
    p = ids.take(pool.pages)
    pool.page[p].page = page
    return p


@kernel
def release(pool: Buddies, p: int) -> None:
    """Give the physical page back."""
    zone.give(pool.zone, int(pool.page[p].page), 0)
    pool.page[p].page = NIL
    ids.give(pool.pages, p)


@kernel
def alloc(pool: Buddies, size: int) -> int:
    """A handle, or a code of `codes`."""
    rules = pool.rules[0]
    if size < 1 or size > rules.largest:
        return TOO_LARGE
    chunks = -(-size // rules.chunk)
    p = find(pool, chunks)
    if p != NIL:
        delist(pool, p)
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


@kernel
def free(pool: Buddies, handle: int) -> None:
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
    elif pool.rules[0].zcache:
        lists.push(pool.page, pool.head, 0, p)
        pool.rules[0].idle += 1
    else:
        release(pool, p)


@kernel
def shrink(pool: Buddies) -> int:
    """Release the idle pages, as zcache's shrinker does; how many."""
    count = pool.rules[0].idle
    while pool.head[0] != NIL and pool.rules[0].idle:
        p = int(pool.head[0])
        lists.remove(pool.page, pool.head, 0, p)
        release(pool, p)
        pool.rules[0].idle -= 1
    return count
