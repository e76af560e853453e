"""The monotonic clock, callable from compiled code."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import intrinsic, overload
from numpy.typing import NDArray

from allocators.compiled.jit import entry

# numba's stub describes the decorator's argument, not its result.
_intrinsic: Callable[[Callable[..., Any]], Callable[..., Any]] = intrinsic


def clock_ns() -> int:
    """Nanoseconds of the monotonic clock: what `time.perf_counter_ns` reads on Linux."""
    return time.perf_counter_ns()


def _declared(module: Any, interface: Any, name: str) -> Any:
    return module.globals.get(name) or ir.Function(module, interface, name)


@_intrinsic
def _clock_gettime(typing: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number, identifier = ir.IntType(64), ir.IntType(32)
        timespec = ir.LiteralStructType([number, number])
        interface = ir.FunctionType(identifier, [identifier, timespec.as_pointer()])
        libc = _declared(builder.module, interface, "clock_gettime")
        with builder.goto_entry_block():  # a loop must not allocate at each turn
            now = builder.alloca(timespec)
        builder.call(libc, [identifier(time.CLOCK_MONOTONIC), now])
        seconds, rest = (builder.extract_value(builder.load(now, typ=timespec), i) for i in (0, 1))
        return builder.add(builder.mul(seconds, number(10**9)), rest)

    return types.int64(), code


overload(clock_ns, strict=False)(lambda: lambda: _clock_gettime())


@entry
def time_nothing(times: NDArray[np.int64]) -> None:
    """Two readings of the clock with nothing between them; times in ns."""
    for i in range(len(times)):
        start = clock_ns()
        times[i] = clock_ns() - start
