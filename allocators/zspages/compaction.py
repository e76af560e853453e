"""zsmalloc's compaction, since 4.1: objects of sparse zspages move into fuller ones of their class.

Source: mm/zsmalloc.c, __zs_compact, migrate_zspage, isolate_zspage and its successors.
"""

from allocators.compiled.ids import NIL
from allocators.compiled.jit import compiled
from allocators.zspages import pool as zspage
from allocators.zspages.pool import ZspagePool

# `compaction` of the pool's rules: which side is taken first (4.1, where a source is always sparse; 6.1; 6.12).
NONE, BY_SOURCE, BY_TARGET, BY_SPARSE_SOURCE = 0, 1, 2, 3


@compiled
def worthwhile(pool: ZspagePool, c: int) -> bool:
    """Whether the unused objects of a class add up to a zspage."""
    cls = pool.cls[c]
    return cls.zspages * cls.objs - cls.inuse >= cls.objs


@compiled
def isolate(pool: ZspagePool, c: int, start: int, step: int) -> int:
    """Take the head of the first list that has one off it, looking from group `start` in direction `step`."""
    group = start
    while 0 < group < pool.rules[0].groups - 1:
        z = pool.head[c, group]
        if z != NIL:
            zspage.unlink(pool, z)
            return z
        group += step
    return NIL


@compiled
def migrate(pool: ZspagePool, c: int, source: int, target: int, start: int) -> int:
    """Move objects in address order, from object `start` on, until one side is done; where it stopped."""
    objs = pool.cls[c].objs
    base = pool.zspage[source].first
    obj = start
    while obj < objs:
        handle = int(pool.object[base + obj])
        if handle >= 0 and base + obj < pool.zspage[source].fresh:
            if pool.zspage[target].inuse == objs:
                break
            zspage.drop(pool, source, base + obj)
            zspage.put(pool, target, handle)
            pool.cls[c].moved += 1
        obj += 1
    return obj


@compiled
def put_back(pool: ZspagePool, z: int) -> int:
    """Return an isolated zspage to a list, or release it if it is empty; pages released."""
    if pool.zspage[z].inuse == 0:
        pages = pool.cls[pool.zspage[z].cls].pages
        zspage.destroy(pool, z)
        return pages
    zspage.link(pool, z, zspage.group_of(pool, z))
    return 0


@compiled
def compact_by_target(pool: ZspagePool, c: int) -> int:
    """6.12: one target is filled to the brim before the next is taken."""
    released = 0
    target = NIL
    fullest = pool.rules[0].groups - 2
    while worthwhile(pool, c):
        if target == NIL:
            target = isolate(pool, c, fullest, -1)
            if target == NIL:
                break
        source = isolate(pool, c, 1, 1)
        if source == NIL:
            break
        migrate(pool, c, source, target, 0)
        released += put_back(pool, source)
        if pool.zspage[target].inuse == pool.cls[c].objs:
            put_back(pool, target)
            target = NIL
    if target != NIL:
        put_back(pool, target)
    return released


@compiled
def compact_by_source(pool: ZspagePool, c: int, sparse: bool) -> int:
    """6.1: a source is taken first, whether or not it pays, and emptied into as many targets as it needs.

    4.1 (`sparse`): only almost empty zspages are sources, and nobody asks whether it pays.
    """
    released = 0
    step = pool.rules[0].groups if sparse else 1
    while True:
        source = isolate(pool, c, 1, step)
        if source == NIL:
            break
        target = NIL
        if sparse or worthwhile(pool, c):
            obj = 0
            while obj < pool.cls[c].objs:
                target = isolate(pool, c, 2, -1)
                if target == NIL:
                    break
                obj = migrate(pool, c, source, target, obj)
                put_back(pool, target)
        released += put_back(pool, source)
        if target == NIL:
            break
    return released


@compiled
def compact(pool: ZspagePool) -> int:
    """Compact all classes from the largest down; pages released."""
    released = 0
    if pool.rules[0].compaction == NONE:
        return released
    for c in range(len(pool.cls) - 1, -1, -1):
        if pool.rules[0].compaction == BY_TARGET:
            released += compact_by_target(pool, c)
        else:
            released += compact_by_source(pool, c, pool.rules[0].compaction == BY_SPARSE_SOURCE)
    pool.rules[0].pages_compacted += released
    return released
