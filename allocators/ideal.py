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
from allocators.errors import AllocatorError
from allocators.zone import PageZone

RULES = np.dtype(
    [
        ("page_size", np.int64),
        ("largest", np.int64),  # bytes of an object
        ("promised", np.int64),  # calls of `alloc` that `has_room` makes room for
        ("total", np.int64),  # bytes stored
    ],
    align=True,
)


class IdealPool(NamedTuple):
    """The state."""

    zone: zone.Zone
    rules: Any  # RULES[1]
    width: Any  # int32[capacity]: bytes of each handle, 0 for no object
    handles: ids.Ids
    page: Any  # int32[capacity]: the physical pages held


@compiled
def has_room(pool: IdealPool) -> bool:
    """Whether the next calls of `alloc`, as many as promised, cannot overflow any array."""
    return ids.has_room(pool.handles, pool.rules[0].promised) and zone.has_room(pool.zone)


def grown(pool: IdealPool) -> IdealPool:
    """The pool with room for at least the next calls of `alloc`, as many as promised."""
    rules = pool.rules[0]
    handles = ids.grown(pool.handles, int(rules.promised))
    width = arrays.extended(pool.width, len(handles.link))
    page = arrays.extended(pool.page, len(handles.link) * int(rules.largest // rules.page_size))
    return pool._replace(zone=zone.grown(pool.zone), width=width, handles=handles, page=page)


@compiled
def release(pool: IdealPool, pages: int) -> None:
    """Give back all pages but the first `pages`, the last one first."""
    while pool.zone.info[0].held > pages:
        zone.give(pool.zone, int(pool.page[pool.zone.info[0].held - 1]), 0)


@compiled
def alloc(pool: IdealPool, size: int) -> int:
    """A handle, or a code of `codes`."""
    rules = pool.rules[0]
    if size < 1 or size > rules.largest:
        return TOO_LARGE
    info = pool.zone.info[0]
    before = int(info.held)
    while rules.total + size > info.held * rules.page_size:
        held = int(info.held)
        page = zone.take(pool.zone, 0)
        if page == NIL:
            release(pool, before)
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
    release(pool, (rules.total + rules.page_size - 1) // rules.page_size)


class Ideal(CompiledAllocator):
    """No loss at all: the bound that every other allocator is compared with. Objects have no place.

    Objects have up to `unit` pages: more than one where pages are compressed together.
    """

    name: ClassVar[str] = "ideal"
    state: IdealPool

    def __init__(self, unit: int = 1, page_size: int = 4096, zone: PageZone | None = None) -> None:
        if unit < 1:
            raise AllocatorError(f"ideal: unit={unit}; give 1 or more pages")
        super().__init__(page_size, zone)
        self.unit = unit
        rules = arrays.records(1, RULES)
        rules["page_size"], rules["largest"], rules["promised"] = page_size, unit * page_size, unit
        self.state = IdealPool(
            zone=self.zone.state,
            rules=rules,
            width=np.zeros(arrays.ROOM, np.int32),
            handles=ids.make(arrays.ROOM),
            page=np.zeros(arrays.ROOM * unit, np.int32),
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
