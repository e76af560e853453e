"""The four calls of an allocator, chosen by the type of its state.

Kernels call `alloc`, `free`, `compact`, `has_room` and `pages` of this module on any built-in state; numba picks
the rules by the state's NamedTuple class and inlines them, so that one loop serves every allocator and is cached
on disk. In plain Python the same calls also take a user's `Allocator` object.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from numba.core import types
from numba.extending import overload

from allocators.errors import NoMemory, TooLarge
from allocators.jit import INLINED, kernel
from allocators.kernels import coalesce, codes, compaction, ideal, xvmalloc, z3fold, zbud, zspage


class Rules(NamedTuple):
    """The functions over one type of state."""

    alloc: Callable[[Any, int], int]
    free: Callable[[Any, int], None]
    has_room: Callable[[Any], bool]
    compact: Callable[[Any], int]
    grown: Callable[[Any], Any]


@kernel
def nothing_to_compact(state: Any) -> int:
    """Most allocators never move an object."""
    return 0


def _unmoved(module: Any) -> Rules:
    return Rules(module.alloc, module.free, module.has_room, nothing_to_compact, module.grown)


RULES: dict[type, Rules] = {
    zspage.Zspages: _unmoved(zspage)._replace(compact=compaction.compact),
    xvmalloc.Blocks: _unmoved(xvmalloc),
    zbud.Buddies: _unmoved(zbud),
    z3fold.Trios: _unmoved(z3fold),
    coalesce.Fragments: _unmoved(coalesce),
    ideal.Bytes: _unmoved(ideal),
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
