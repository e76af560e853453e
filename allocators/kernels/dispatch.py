"""The calls of an allocator, chosen by the type of its state.

Kernels call `alloc`, `free`, `compact`, `has_room` and `pages` of this module on any built-in state, and what the
timing stage asks for; numba picks the rules by the state's NamedTuple class and inlines them, so that one loop serves
every allocator and is cached on disk. In plain Python the same calls also take a user's `Allocator` object.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from numba.core import types
from numba.extending import overload

from allocators.errors import NoMemory, TooLarge
from allocators.jit import INLINED, kernel
from allocators.kernels import coalesce, codes, compaction, ideal, xvmalloc, z3fold, zbud, zone, zspage


class Rules(NamedTuple):
    """The functions over one type of state."""

    alloc: Callable[[Any, int], int]
    free: Callable[[Any, int], None]
    has_room: Callable[[Any], bool]
    compact: Callable[[Any], int]
    spans: Callable[[Any, int], bool]
    lock: Callable[[Any, int], int]
    grown: Callable[[Any], Any]


@kernel
def nothing_to_compact(state: Any) -> int:
    """Most allocators never move an object."""
    return 0


@kernel
def never_spans(state: Any, handle: int) -> bool:
    """Most allocators keep an object inside one page."""
    return False


@kernel
def one_lock(state: Any, handle: int) -> int:
    """Most allocators have one lock for all."""
    return 0


def _simple(module: Any) -> Rules:
    """Nothing moves or spans pages, and there is one lock."""
    rules = module.alloc, module.free, module.has_room
    return Rules(*rules, nothing_to_compact, never_spans, one_lock, module.grown)


RULES: dict[type, Rules] = {
    zspage.Zspages: _simple(zspage)._replace(compact=compaction.compact, spans=zspage.spans, lock=zspage.lock),
    xvmalloc.Blocks: _simple(xvmalloc),
    zbud.Buddies: _simple(zbud),
    z3fold.Trios: _simple(z3fold),
    coalesce.Fragments: _simple(coalesce)._replace(spans=coalesce.spans),
    ideal.Bytes: _simple(ideal),
}


def alloc(state: Any, size: int) -> int:
    """Handle of a new object, or a code of `codes`."""
    rules = RULES.get(type(state))
    if rules is not None:
        return rules.alloc(state, size)
    try:
        handle: int = state.alloc(int(size))
        return handle
    except TooLarge:
        return codes.TOO_LARGE
    except NoMemory:
        return codes.NO_MEMORY


def free(state: Any, handle: int) -> None:
    """Free a handle in use."""
    rules = RULES.get(type(state))
    if rules is not None:
        rules.free(state, handle)
    else:
        state.free(int(handle))


def compact(state: Any) -> int:
    """Pages released by moving objects together."""
    rules = RULES.get(type(state))
    return rules.compact(state) if rules is not None else state.compact()


def has_room(state: Any) -> bool:
    """Whether one more `alloc` cannot overflow the arrays."""
    rules = RULES.get(type(state))
    return rules is None or rules.has_room(state)


def pages(state: Any) -> int:
    """Physical pages held."""
    return state.zone.info[0].held if type(state) in RULES else state.pages


def pages_drawn(state: Any) -> int:
    """Physical pages taken so far; a user's allocator tells only those it holds."""
    return state.zone.info[0].drawn if type(state) in RULES else state.pages


def no_free_page(state: Any) -> bool:
    """Whether the zone behind it has no free page."""
    return type(state) in RULES and zone.is_empty(state.zone)


def spans(state: Any, handle: int) -> bool:
    """Whether an object in use lies in several pages that must be mapped."""
    rules = RULES.get(type(state))
    if rules is not None:
        return rules.spans(state, handle)
    placement = state.placement(int(handle))
    return placement is not None and bool(placement.spans)


def lock(state: Any, handle: int) -> int:
    """The number of the lock that an object in use is freed under: its size class's, else the only one."""
    rules = RULES.get(type(state))
    return 0 if rules is None else rules.lock(state, handle)


def grown(state: Any) -> Any:
    """The state with room for one more `alloc`; never called by kernels."""
    return RULES[type(state)].grown(state)


def _rules(state: types.Type) -> Rules | None:
    return RULES.get(getattr(state, "instance_class", type(None)))


# The rules' own functions stand in for the calls; their parameters have other names, hence not strict.


@overload(alloc, jit_options=INLINED, strict=False)
def _alloc(state: Any, size: Any) -> Any:
    rules = _rules(state)
    return rules and rules.alloc


@overload(free, jit_options=INLINED, strict=False)
def _free(state: Any, handle: Any) -> Any:
    rules = _rules(state)
    return rules and rules.free


@overload(compact, jit_options=INLINED, strict=False)
def _compact(state: Any) -> Any:
    rules = _rules(state)
    return rules and rules.compact


@overload(has_room, jit_options=INLINED, strict=False)
def _has_room(state: Any) -> Any:
    rules = _rules(state)
    return rules and rules.has_room


@overload(pages, jit_options=INLINED)
def _pages(state: Any) -> Any:
    def held(state: Any) -> Any:
        return state.zone.info[0].held

    return None if _rules(state) is None else held


@overload(pages_drawn, jit_options=INLINED)
def _pages_drawn(state: Any) -> Any:
    def drawn(state: Any) -> Any:
        return state.zone.info[0].drawn

    return None if _rules(state) is None else drawn


@overload(no_free_page, jit_options=INLINED)
def _no_free_page(state: Any) -> Any:
    def empty(state: Any) -> Any:
        return zone.is_empty(state.zone)

    return None if _rules(state) is None else empty


@overload(spans, jit_options=INLINED, strict=False)
def _spans(state: Any, handle: Any) -> Any:
    rules = _rules(state)
    return rules and rules.spans


@overload(lock, jit_options=INLINED, strict=False)
def _lock(state: Any, handle: Any) -> Any:
    rules = _rules(state)
    return rules and rules.lock
