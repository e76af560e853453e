"""A compiled allocator in one file: every object has a page of its own."""

from typing import Any, ClassVar, NamedTuple

import numpy as np

from allocators import CompiledAllocator, PageZone, zone
from allocators.compiled import arrays, codes, ids
from allocators.compiled.dispatch import Rules, register_rules
from allocators.compiled.jit import compiled
from sim import register


class WholePool(NamedTuple):
    """The state: a zone, and arrays."""

    zone: zone.Zone
    page_size: Any  # int64[1]
    handles: ids.Ids
    page: Any  # int32[capacity]: the page of each handle, NIL for none


@compiled
def alloc(pool: WholePool, size: int) -> int:
    """See `Rules`, as for all of these."""
    if not 1 <= size <= pool.page_size[0]:
        return codes.TOO_LARGE
    page = zone.take(pool.zone, 0)
    if page == ids.NIL:
        return codes.NO_MEMORY
    handle = ids.take(pool.handles)
    pool.page[handle] = page
    return handle


@compiled
def free(pool: WholePool, handle: int) -> None:
    zone.give(pool.zone, int(pool.page[handle]), 0)
    pool.page[handle] = ids.NIL
    ids.give(pool.handles, handle)


@compiled
def has_room(pool: WholePool) -> bool:
    return ids.has_room(pool.handles, 1) and zone.has_room(pool.zone)


def grown(pool: WholePool) -> WholePool:
    handles = ids.grown(pool.handles, 1)
    page = arrays.extended(pool.page, len(handles.link))
    return pool._replace(zone=zone.grown(pool.zone), handles=handles, page=page)


register_rules(WholePool, Rules(alloc, free, has_room, grown))


@register
class Whole(CompiledAllocator):
    """A page for each object."""

    name: ClassVar[str] = "whole"

    def __init__(self, page_size: int = 4096, zone: PageZone | None = None) -> None:
        super().__init__(page_size, zone)
        handles, page = ids.make(arrays.ROOM), np.zeros(arrays.ROOM, np.int32)
        self.state = WholePool(self.zone.state, np.array([page_size]), handles, page)

    def holds(self, handle: int) -> bool:
        """See `CompiledAllocator.holds`."""
        return 0 <= handle < self.state.handles.top[1] and self.state.page[handle] != ids.NIL
