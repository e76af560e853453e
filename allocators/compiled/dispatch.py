"""The calls of an allocator, in compiled code and in plain Python, on any state that has rules.

In plain Python the same calls also take a user's `Allocator` object.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from allocators.compiled import codes
from allocators.compiled.jit import compiled
from allocators.compiled.rules import RuleTable
from allocators.errors import NoMemory, TooLarge
from allocators.zone import is_empty


@compiled
def nothing_to_compact(state: Any) -> int:
    """Most allocators never move an object."""
    return 0


@compiled
def never_spans(state: Any, handle: int) -> bool:
    """Most allocators keep an object inside one page."""
    return False


@compiled
def one_lock(state: Any, handle: int) -> int:
    """Most allocators have one lock for all."""
    return 0


@compiled
def nothing_to_reclaim(state: Any, handles: Any) -> int:
    """Most allocators cannot choose a page and do without its objects."""
    return 0


@compiled
def held_by_zone(state: Any) -> int:
    """What its zone has handed out and not got back."""
    return state.zone.info[0].held


@compiled
def allocated_by_zone(state: Any) -> int:
    """What its zone has handed out so far."""
    return state.zone.info[0].allocated


@compiled
def zone_is_empty(state: Any) -> bool:
    """Whether its zone has no free page."""
    return is_empty(state.zone)


class Rules(NamedTuple):
    """The functions over one class of state, whose field `zone` is the `allocators.zone.Zone` it takes pages from."""

    alloc: Callable[[Any, int], int]  # handle of a new object, or a code of `codes`
    free: Callable[[Any, int], None]  # free a handle in use
    has_room: Callable[[Any], bool]  # whether one more `alloc` cannot overflow the arrays
    grown: Callable[[Any], Any]  # the state with room for one more `alloc`; called by Python only
    compact: Callable[[Any], int] = nothing_to_compact  # pages released by moving objects together
    spans: Callable[[Any, int], bool] = never_spans  # whether an object lies in several pages that must be mapped
    lock: Callable[[Any, int], int] = one_lock  # the number of the lock that an object is freed under
    pages: Callable[[Any], int] = held_by_zone  # physical pages held
    pages_allocated: Callable[[Any], int] = allocated_by_zone  # physical pages taken so far
    no_free_page: Callable[[Any], bool] = zone_is_empty  # whether none is left
    # Give up a page with all its objects, whose handles go into int64[objects_reclaimed]; how many. See `Allocator`.
    reclaim: Callable[[Any, Any], int] = nothing_to_reclaim


_TABLE: RuleTable[Rules] = RuleTable()
register_rules = _TABLE.register


def _alloc(allocator: Any, size: int) -> int:
    try:
        handle: int = allocator.alloc(int(size))
        return handle
    except TooLarge:
        return codes.TOO_LARGE
    except NoMemory:
        return codes.NO_MEMORY


def _spans(allocator: Any, handle: int) -> bool:
    placement = allocator.placement(int(handle))
    return placement is not None and bool(placement.spans)


def _reclaim(allocator: Any, handles: Any) -> int:
    found = allocator.reclaim()
    handles[: len(found)] = found
    return len(found)


alloc = _TABLE.call("alloc", _alloc)
free = _TABLE.call("free", lambda allocator, handle: allocator.free(int(handle)))
has_room = _TABLE.call("has_room", lambda allocator: True)
grown = _TABLE.call("grown")
compact = _TABLE.call("compact", lambda allocator: allocator.compact())
spans = _TABLE.call("spans", _spans)
lock = _TABLE.call("lock", lambda allocator, handle: 0)
pages = _TABLE.call("pages", lambda allocator: allocator.pages)
pages_allocated = _TABLE.call("pages_allocated", lambda allocator: allocator.pages)  # it reports only those it holds
no_free_page = _TABLE.call("no_free_page", lambda allocator: False)
reclaim = _TABLE.call("reclaim", _reclaim)
