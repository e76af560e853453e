"""The bound: objects packed without any loss, in as few pages as their bytes fill."""

from typing import Any, NamedTuple

import numpy as np

from allocators.jit import kernel
from allocators.kernels import arrays, ids, zone
from allocators.kernels.codes import NO_MEMORY, TOO_LARGE
from allocators.kernels.ids import NIL

RULES = np.dtype([("page_size", np.int64), ("total", np.int64)], align=True)


class Bytes(NamedTuple):
    """A pool."""

    zone: zone.Zone
    rules: Any  # RULES[1]; total = bytes stored
    width: Any  # int32[capacity]: bytes of each handle, 0 for no object
    handles: ids.Ids
    page: Any  # int32[capacity]: the physical pages held


@kernel
def has_room(pool: Bytes) -> bool:
    """Whether one more `alloc` cannot overflow any array."""
    return ids.has_room(pool.handles, 1) and zone.has_room(pool.zone)


def grown(pool: Bytes) -> Bytes:
    """The pool with room for at least one more `alloc`."""
    handles = ids.grown(pool.handles, 1)
    more = len(handles.link) - len(pool.width)
    width = arrays.grown(pool.width, more) if more else pool.width
    page = arrays.grown(pool.page, more) if more else pool.page
    return pool._replace(zone=zone.grown(pool.zone), width=width, handles=handles, page=page)


@kernel
def alloc(pool: Bytes, size: int) -> int:
    """A handle, or a code of `codes`."""
    rules = pool.rules[0]
    if size < 1 or size > rules.page_size:
        return TOO_LARGE
    held = pool.zone.info[0].held
    if rules.total + size > held * rules.page_size:
        page = zone.take(pool.zone, 0)
        if page == NIL:
            return NO_MEMORY
        pool.page[held] = page
    rules.total += size
    handle = ids.take(pool.handles)
    pool.width[handle] = size
    return handle


@kernel
def free(pool: Bytes, handle: int) -> None:
    """Free a handle that is in use."""
    rules = pool.rules[0]
    rules.total -= pool.width[handle]
    pool.width[handle] = 0
    ids.give(pool.handles, handle)
    held = pool.zone.info[0].held
    if rules.total <= (held - 1) * rules.page_size:
        zone.give(pool.zone, int(pool.page[held - 1]), 0)
