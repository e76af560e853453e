"""Entries into the calls of `dispatch`: one at a time, or a sequence of operations at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from allocators.compiled import dispatch
from allocators.compiled.borrow import borrow
from allocators.compiled.codes import NO_ROOM
from allocators.compiled.ids import NIL
from allocators.compiled.jit import entry

if TYPE_CHECKING:
    from allocators.base import Allocator

ALLOC, FREE, COMPACT = 0, 1, 2
BATCH = {True: 1 << 20, False: 1 << 12}  # operations between two progress reports: compiled, plain Python

Ints = npt.NDArray[np.int64]


@entry
def alloc(state: Any, size: int) -> int:
    """See `dispatch.Rules`; NO_ROOM when the arrays must grow first."""
    if not dispatch.has_room(state):
        return NO_ROOM
    return dispatch.alloc(state, size)


@entry
def free(state: Any, handle: int) -> None:
    """See `dispatch.Rules`."""
    dispatch.free(state, handle)


@entry
def compact(state: Any) -> int:
    """See `dispatch.Rules`."""
    return dispatch.compact(state)


@entry
def reclaim(state: Any, handles: Any) -> int:
    """See `dispatch.Rules`."""
    return dispatch.reclaim(state, handles)


@entry
def replay(state: Any, op: Any, key: Any, size: Any, live: Any, handle: Any, pages: Any, start: int) -> int:
    """Replay operations from `start` on; where it stopped for want of room, else their number.

    op, key, size as in `run_operations`, handle and pages as it returns them; live int64[objects]: each object's
    handle now, negative for none.
    """
    state, op, key, size = borrow(state), borrow(op), borrow(key), borrow(size)
    live, handle, pages = borrow(live), borrow(handle), borrow(pages)
    for i in range(start, len(op)):
        if op[i] == ALLOC:
            if not dispatch.has_room(state):
                return i
            handle[i] = dispatch.alloc(state, size[i])
            live[key[i]] = handle[i]
        elif op[i] == FREE:
            handle[i] = live[key[i]]
            if handle[i] >= 0:
                dispatch.free(state, handle[i])
            live[key[i]] = NIL
        else:
            handle[i] = dispatch.compact(state)
        pages[i] = dispatch.pages(state)
    return len(op)


def run_operations(
    allocator: Allocator,
    op: npt.NDArray[np.uint8],
    key: Ints,
    size: Ints,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Ints, Ints]:
    """Replay `op` uint8[n] (ALLOC, FREE, COMPACT) on objects `key` int64[n], counted from 0, of `size` int64[n] bytes.

    Returns (handles int64[n], pages int64[n]). handles: what an ALLOC got, negative (`compiled.codes`) if it was
    refused; what a FREE freed, negative if it was skipped because its object was refused or is not there; the pages a
    COMPACT released. pages: physical pages held after each operation. `progress` is called with operations done and
    in all.
    """
    handles, pages = np.zeros(len(op), np.int64), np.zeros(len(op), np.int64)
    live = np.full(int(key.max(initial=-1)) + 1, NIL, np.int64)
    step = BATCH[allocator.compiled]
    for done in range(0, len(op), step):
        stop = min(done + step, len(op))
        allocator.drive(replay, stop, op[:stop], key, size, live, handles, pages, start=done)
        if progress is not None:
            progress(stop, len(op))
    return handles, pages
