"""The bound: objects packed without any loss, in as few pages as their bytes fill."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from allocators import zone
from allocators.base import CompiledAllocator
from allocators.compiled import arrays, ids
from allocators.compiled.codes import NO_MEMORY, TOO_LARGE
from allocators.compiled.dispatch import Rules, register_rules
from allocators.compiled.ids import NIL
from allocators.compiled.jit import compiled
from allocators.zone import PageZone

RULES = np.dtype([("page_size", np.int64), ("total", np.int64)], align=True)


class IdealPool(NamedTuple):
    """The state."""

    zone: zone.Zone
    rules: Any  # RULES[1]; total = bytes stored
    width: Any  # int32[capacity]: bytes of each handle, 0 for no object
    handles: ids.Ids
    page: Any  # int32[capacity]: the physical pages held


@compiled
def has_room(pool: IdealPool) -> bool:
    """Whether one more `alloc` cannot overflow any array."""
    return ids.has_room(pool.handles, 1) and zone.has_room(pool.zone)


def grown(pool: IdealPool) -> IdealPool:
    """The pool with room for at least one more `alloc`."""
    handles = ids.grown(pool.handles, 1)
    width, page = (arrays.extended(array, len(handles.link)) for array in (pool.width, pool.page))
    return pool._replace(zone=zone.grown(pool.zone), width=width, handles=handles, page=page)


@compiled
def alloc(pool: IdealPool, size: int) -> int:
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


@compiled
def free(pool: IdealPool, handle: int) -> None:
    """Free a handle that is in use."""
    rules = pool.rules[0]
    rules.total -= pool.width[handle]
    pool.width[handle] = 0
    ids.give(pool.handles, handle)
    held = pool.zone.info[0].held
    if rules.total <= (held - 1) * rules.page_size:
        zone.give(pool.zone, int(pool.page[held - 1]), 0)


class Ideal(CompiledAllocator):
    """No loss at all: the bound that every other allocator is compared with. Objects have no place."""

    name: ClassVar[str] = "ideal"
    state: IdealPool

    def __init__(self, page_size: int = 4096, zone: PageZone | None = None) -> None:
        super().__init__(page_size, zone)
        rules = arrays.records(1, RULES)
        rules["page_size"] = page_size
        self.state = IdealPool(
            zone=self.zone.state,
            rules=rules,
            width=np.zeros(arrays.ROOM, np.int32),
            handles=ids.make(arrays.ROOM),
            page=np.zeros(arrays.ROOM, np.int32),
        )

    def holds(self, handle: int) -> bool:
        """See `CompiledAllocator.holds`."""
        return 0 <= handle < int(self.state.handles.top[1]) and int(self.state.width[handle]) > 0

    def check(self) -> None:
        """Recount bytes and pages."""
        self.zone.check()
        total = int(self.state.width[: int(self.state.handles.top[1])].sum())
        self.require(total == int(self.state.rules[0].total), f"{total} bytes in objects")
        self.require(-(-total // self.page_size) == self.pages, f"{total} bytes in {self.pages} pages")
        held = [int(page) for page in self.state.page[: self.pages]]
        self.require(len(set(held)) == len(held), "a page is held twice")


register_rules(IdealPool, Rules(alloc, free, has_room, grown))
