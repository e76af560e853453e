"""zsmalloc's rules: zspages of equal objects, kept in lists by class and fullness.

One set of rules serves all eras; what differs is data (the class table, the fullness table) and switches in `RULES`.
Sources: drivers/staging/zsmalloc/zsmalloc-main.c (3.4), mm/zsmalloc.c (4.1, 4.4, 6.1, 6.2, 6.12).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from allocators import zone
from allocators.compiled import arrays, ids, lists
from allocators.compiled.codes import NO_MEMORY, TOO_LARGE
from allocators.compiled.ids import NIL
from allocators.compiled.jit import compiled

# `emptier` of the rules: where in its list a zspage goes that is emptier than the head; others go first.
FIRST, SECOND, LAST = 0, 1, 2

RULES = np.dtype(
    [
        ("page_size", np.int64),
        ("promised", np.int64),  # calls of `alloc` that `has_room` makes room for
        ("emptier", np.int64),  # FIRST, SECOND or LAST
        ("ages", np.int64),  # zspages are listed by when they last got an object
        ("refilled_last", np.int64),  # slabs: once full, then with room again, goes to the end of its list
        ("compaction", np.int64),  # which one (`compaction`)
        ("groups", np.int64),  # fullness groups; the first is empty, the last full
        ("most_objs", np.int64),  # of any class
        ("pages_compacted", np.int64),
    ],
    align=True,
)
CLASS = np.dtype(
    [
        ("width", np.int64),
        ("pages", np.int64),
        ("order", np.int64),  # of the blocks that its zspages are made of
        ("objs", np.int64),
        ("fullness", np.int64),  # where its rows in the fullness table start
        ("spare", np.int64),  # released zspage records, which keep their range of objects
        ("zspages", np.int64),
        ("inuse", np.int64),
        ("moved", np.int64),  # objects moved by compaction so far
    ],
    align=True,
)
ZSPAGE = np.dtype(
    [
        ("cls", np.int32),
        ("group", np.int32),
        ("inuse", np.int32),
        ("freed", np.int32),  # the object freed last, chained through `object`
        ("fresh", np.int32),  # objects below this one have been used before
        ("first", np.int32),  # its first object
        ("next", np.int32),
        ("prev", np.int32),
    ],
    align=True,
)
HANDLE = np.dtype([("zspage", np.int32), ("object", np.int32)], align=True)


class ZspagePool(NamedTuple):
    """The state."""

    zone: zone.Zone
    rules: Any  # RULES[1]
    class_of: Any  # int16[largest object + 1]: size -> class
    cls: Any  # CLASS[classes]
    fullness: Any  # int8[...]: group by objects in use, one run a class
    head: Any  # int32[classes, groups]: first zspage of each list
    zspage: Any  # ZSPAGE[capacity]
    page: Any  # int32[capacity, blocks]: the blocks a zspage is made of
    top: Any  # int64[2]: zspage records made, objects laid out
    object: Any  # int32[...]: the handle of an object in use, else `-2 - next` of the freed ones
    handle: Any  # HANDLE[capacity]
    handles: ids.Ids
    age: Any  # lists.LINKS[capacity]: all zspages by age, in the eras that list them so
    oldest: Any  # int32[1]


@compiled
def has_room(pool: ZspagePool) -> bool:
    """Whether the next calls of `alloc`, as many as promised, cannot overflow any array."""
    rules = pool.rules[0]
    return (
        ids.has_room(pool.handles, rules.promised)
        and pool.top[0] + rules.promised <= len(pool.zspage)
        and pool.top[1] + rules.promised * rules.most_objs <= len(pool.object)
        and zone.has_room(pool.zone)
    )


@compiled
def link(pool: ZspagePool, z: int, group: int) -> None:
    """Put a zspage into the list of its class and group; the full ones are in none."""
    rules, page = pool.rules[0], pool.zspage[z]
    was_full = page.group == rules.groups - 1
    page.group = group
    if group == rules.groups - 1:
        return
    heads = pool.head[page.cls]
    head = heads[group]
    emptier = rules.emptier != FIRST and head != NIL and page.inuse < pool.zspage[head].inuse
    if emptier and rules.emptier == SECOND:
        lists.insert_after(pool.zspage, head, z)
    elif emptier or (was_full and rules.refilled_last):
        lists.append(pool.zspage, heads, group, z)
    else:
        lists.push(pool.zspage, heads, group, z)


@compiled
def unlink(pool: ZspagePool, z: int) -> None:
    """Take a zspage off its list."""
    page = pool.zspage[z]
    if page.group != pool.rules[0].groups - 1:
        lists.remove(pool.zspage, pool.head[page.cls], page.group, z)


@compiled
def group_of(pool: ZspagePool, z: int) -> int:
    """The fullness group a zspage belongs to now."""
    page = pool.zspage[z]
    return pool.fullness[pool.cls[page.cls].fullness + page.inuse]


@compiled
def regroup(pool: ZspagePool, z: int) -> None:
    """Move a zspage to another list if its group has changed; otherwise its place stays."""
    group = group_of(pool, z)
    if group != pool.zspage[z].group:
        unlink(pool, z)
        link(pool, z, group)


@compiled
def fullest(pool: ZspagePool, c: int) -> int:
    """The head of the fullest list of a class that has room, or NIL."""
    group = pool.rules[0].groups - 2
    while group > 0 and pool.head[c, group] == NIL:
        group -= 1
    return pool.head[c, group]  # the list of the empty ones is always NIL


@compiled
def release_pages(pool: ZspagePool, z: int, count: int) -> None:
    """Give back the first `count` blocks of a zspage, the last one first."""
    for i in range(count - 1, -1, -1):
        zone.give(pool.zone, int(pool.page[z, i]), pool.cls[pool.zspage[z].cls].order)


@compiled
def create(pool: ZspagePool, c: int) -> int:
    """A zspage of class `c` without objects and in no list, or NIL when the zone has no pages for it."""
    cls = pool.cls[c]
    z = cls.spare
    if z == NIL:
        z = pool.top[0]
        pool.zspage[z].first = pool.top[1]
    pool.zspage[z].cls = c
    for i in range(cls.pages >> cls.order):
        page = zone.take(pool.zone, cls.order)
        if page == NIL:
            release_pages(pool, z, i)
            return NIL
        pool.page[z, i] = page
    if cls.spare == NIL:
        pool.top[0] += 1
        pool.top[1] += cls.objs
    else:
        cls.spare = pool.zspage[z].next
    cls.zspages += 1
    if pool.rules[0].ages:
        lists.append(pool.age, pool.oldest, 0, z)
    new = pool.zspage[z]
    new.group = 0
    new.inuse = 0
    new.freed = NIL
    new.fresh = new.first
    return z


@compiled
def destroy(pool: ZspagePool, z: int) -> None:
    """Release the pages of an empty zspage that is in no list."""
    cls = pool.cls[pool.zspage[z].cls]
    release_pages(pool, z, cls.pages >> cls.order)
    if pool.rules[0].ages:
        lists.remove(pool.age, pool.oldest, 0, z)
    pool.zspage[z].inuse = NIL
    pool.zspage[z].next = cls.spare
    cls.spare = z
    cls.zspages -= 1


@compiled
def put(pool: ZspagePool, z: int, handle: int) -> None:
    """Give the handle the zspage's object freed last, else the first never used."""
    page = pool.zspage[z]
    obj = page.freed
    if obj == NIL:
        obj = page.fresh
        page.fresh = obj + 1
    else:
        page.freed = -2 - pool.object[obj]
    page.inuse += 1
    pool.object[obj] = handle
    pool.handle[handle].zspage = z
    pool.handle[handle].object = obj


@compiled
def drop(pool: ZspagePool, z: int, obj: int) -> None:
    """Free an object of a zspage."""
    pool.object[obj] = -2 - pool.zspage[z].freed
    pool.zspage[z].freed = obj
    pool.zspage[z].inuse -= 1


@compiled
def alloc(pool: ZspagePool, size: int) -> int:
    """A handle, or a code of `codes`."""
    if size < 1 or size >= len(pool.class_of):
        return TOO_LARGE
    c = int(pool.class_of[size])
    z = int(fullest(pool, c))
    if z == NIL:
        z = create(pool, c)
        if z == NIL:
            return NO_MEMORY
        handle = ids.take(pool.handles)
        put(pool, z, handle)
        link(pool, z, group_of(pool, z))
    else:
        handle = ids.take(pool.handles)
        put(pool, z, handle)
        regroup(pool, z)
        if pool.rules[0].ages:
            lists.renew(pool.age, pool.oldest, 0, z)
    pool.cls[c].inuse += 1
    return handle


@compiled
def free(pool: ZspagePool, handle: int) -> None:
    """Free a handle that is in use."""
    z = int(pool.handle[handle].zspage)
    drop(pool, z, pool.handle[handle].object)
    pool.handle[handle].zspage = NIL
    ids.give(pool.handles, handle)
    pool.cls[pool.zspage[z].cls].inuse -= 1
    if pool.zspage[z].inuse == 0:
        unlink(pool, z)
        destroy(pool, z)
    else:
        regroup(pool, z)


@compiled
def reclaim(pool: ZspagePool, handles: Any) -> int:
    """Give up the zspage that got an object longest ago; see `dispatch.Rules` (zs_reclaim_page, 6.2 to 6.4)."""
    z = int(pool.oldest[0])
    if z == NIL:
        return 0
    zspage = pool.zspage[z]
    count = 0
    for obj in range(zspage.first, zspage.fresh):
        handle = int(pool.object[obj])
        if handle >= 0:
            handles[count] = handle
            count += 1
            pool.handle[handle].zspage = NIL
            ids.give(pool.handles, handle)
    pool.cls[zspage.cls].inuse -= count
    unlink(pool, z)
    destroy(pool, z)
    return count


@compiled
def spans(pool: ZspagePool, handle: int) -> bool:
    """Whether the slot of an object lies in two blocks: the kernel maps the whole slot."""
    z = int(pool.handle[handle].zspage)
    cls = pool.cls[pool.zspage[z].cls]
    block = pool.rules[0].page_size << cls.order
    start = (pool.handle[handle].object - pool.zspage[z].first) * cls.width
    return start // block != (start + cls.width - 1) // block


@compiled
def lock(pool: ZspagePool, handle: int) -> int:
    """Each size class has a lock: the number of the object's class."""
    return int(pool.zspage[pool.handle[handle].zspage].cls)


def grown(pool: ZspagePool) -> ZspagePool:
    """The pool with room for at least the next calls of `alloc`, as many as promised."""
    promised = int(pool.rules[0].promised)
    count = int(pool.top[0]) + promised
    zspage, page, age = (arrays.extended(array, count) for array in (pool.zspage, pool.page, pool.age))
    obj = arrays.extended(pool.object, int(pool.top[1] + promised * pool.rules[0].most_objs))
    handles = ids.grown(pool.handles, promised)
    handle = arrays.extended(pool.handle, len(handles.link))
    return pool._replace(
        zone=zone.grown(pool.zone), zspage=zspage, page=page, object=obj, handle=handle, handles=handles, age=age
    )
