"""The size classes of a pool and what is in them: the figures of debugfs' zsmalloc/POOL/classes.

Source: zs_stats_size_show in mm/zsmalloc.c: fullness by tenths in 6.12, "almost full" and "almost empty" in 6.1. The
driver of 2012 had no such file, and gets that of 6.1, whose groups it has.
"""

from __future__ import annotations

import numpy as np

from allocators.compiled.ids import NIL
from allocators.zspages.allocator import ZspageAllocator

BY_TENTH = ("10%", "20%", "30%", "40%", "50%", "60%", "70%", "80%", "90%", "99%", "100%")
# As the kernel has them, the fuller first; full zspages are in neither.
ALMOST = ("almost_full", "almost_empty")
SLABS = ("partial", "full")
COUNTS = ("obj_allocated", "obj_used", "pages_used")
Row = dict[str, int]


def groups_shown(allocator: ZspageAllocator) -> dict[str, int]:
    """The columns of fullness, each with its group."""
    last = int(allocator.state.rules[0].groups) - 1
    if last == len(BY_TENTH):
        return {name: group for group, name in enumerate(BY_TENTH, 1)}
    return dict(zip(ALMOST, (2, 1), strict=True)) if last == len(ALMOST) + 1 else dict(zip(SLABS, (1, 2), strict=True))


def class_table(allocator: ZspageAllocator) -> list[Row]:
    """A row a size class, ascending: class (its index before merging), size in bytes, zspages by fullness, objects
    allocated and in use, pages used and pages in a zspage, objects in one, and the pages that compaction could free.
    """
    state = allocator.state
    zspages = state.zspage[: int(state.top[0])]
    live = zspages[zspages["inuse"] != NIL]
    counts = np.zeros((len(allocator.classes), int(state.rules[0].groups)), np.int64)
    np.add.at(counts, (live["cls"], live["group"]), 1)
    rows = []
    for c, cls in enumerate(allocator.classes):
        zspages_of, used = int(state.cls["zspages"][c]), int(state.cls["inuse"][c])
        allocated = zspages_of * cls.objs
        row = {"class": cls.class_index, "size": cls.size}
        row |= {name: int(counts[c, group]) for name, group in groups_shown(allocator).items()}
        row |= {"obj_allocated": allocated, "obj_used": used, "pages_used": zspages_of * cls.pages}
        row |= {"pages_per_zspage": cls.pages, "objs_per_zspage": cls.objs}
        rows.append(row | {"freeable": (allocated - used) // cls.objs * cls.pages})  # zs_can_compact
    return rows


def class_of_handles(allocator: ZspageAllocator, handles: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[int]:
    """The number of the size class of each object, by its handle; int64[n]."""
    state = allocator.state
    found: list[int] = state.zspage["cls"][state.handle["zspage"][handles]].tolist()
    return found
