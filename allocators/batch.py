"""A sequence of operations, replayed at once on any allocator: compiled for the built-in ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from allocators.base import Allocator, KernelAllocator
from allocators.borrow import borrow
from allocators.jit import entry
from allocators.kernels import dispatch
from allocators.kernels.calls import ALLOC, COMPACT, FREE
from allocators.kernels.ids import NIL

__all__ = ["ALLOC", "COMPACT", "FREE", "run_operations"]

BATCH = {True: 1 << 20, False: 1 << 12}  # operations between two signs of life: compiled, plain Python

Ints = npt.NDArray[np.int64]


@entry
def _run(state: Any, op: Any, key: Any, size: Any, live: Any, handle: Any, pages: Any, start: int) -> int:
    """Like `calls.run`, but notes the handle of every operation: refusals must not be lost when they are freed.

    live int64[objects]: each object's handle now, negative for none; handle and pages int64[n].
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

    Returns (handles int64[n], pages int64[n]). handles: what an ALLOC got, negative (`kernels.codes`) if it was
    refused; what a FREE freed, negative if it was skipped because its object was refused or is not there; the pages a
    COMPACT released. pages: physical pages held after each operation. `progress` is called with operations done and
    in all.
    """
    compiled = isinstance(allocator, KernelAllocator)
    run = _run if compiled else getattr(_run, "py_func", _run)
    handles, pages = np.zeros(len(op), np.int64), np.zeros(len(op), np.int64)
    live = np.full(int(key.max(initial=-1)) + 1, NIL, np.int64)
    done = 0
    while done < len(op):
        stop = min(done + BATCH[compiled], len(op))
        state = allocator.state if isinstance(allocator, KernelAllocator) else allocator
        done = run(state, op[:stop], key, size, live, handles, pages, done)
        if done < stop and isinstance(allocator, KernelAllocator):
            allocator.grow()
        elif progress is not None:
            progress(done, len(op))
    return handles, pages
