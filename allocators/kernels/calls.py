"""Entries: the calls of `dispatch` from Python, one at a time or a whole sequence of operations."""

from typing import Any

from allocators.borrow import borrow
from allocators.jit import entry
from allocators.kernels import dispatch, zbud
from allocators.kernels.codes import NO_ROOM
from allocators.kernels.ids import NIL

ALLOC, FREE, COMPACT = 0, 1, 2


@entry
def alloc(state: Any, size: int) -> int:
    """See `dispatch.alloc`; NO_ROOM when the arrays must grow first."""
    if not dispatch.has_room(state):
        return NO_ROOM
    return dispatch.alloc(state, size)


@entry
def free(state: Any, handle: int) -> None:
    """See `dispatch.free`."""
    dispatch.free(state, handle)


@entry
def compact(state: Any) -> int:
    """See `dispatch.compact`."""
    return dispatch.compact(state)


@entry
def run(state: Any, op: Any, key: Any, size: Any, handle: Any, pages: Any, start: int) -> int:
    """Replay operations from `start` on; where it stopped for want of room, else their number.

    op uint8[n] (ALLOC, FREE, COMPACT), key int64[n] (object), size int64[n]; handle int64[objects] carries each
    object's handle, negative for none; pages int64[n] receives the pages held after each operation.
    """
    state, op, key, size = borrow(state), borrow(op), borrow(key), borrow(size)
    handle, pages = borrow(handle), borrow(pages)
    for i in range(start, len(op)):
        if op[i] == ALLOC:
            if not dispatch.has_room(state):
                return i
            handle[key[i]] = dispatch.alloc(state, size[i])
        elif op[i] == FREE:
            if handle[key[i]] >= 0:
                dispatch.free(state, handle[key[i]])
            handle[key[i]] = NIL
        else:
            dispatch.compact(state)
        pages[i] = dispatch.pages(state)
    return len(op)


@entry
def shrink(pool: Any) -> int:
    """See `zbud.shrink`."""
    return zbud.shrink(borrow(pool))
