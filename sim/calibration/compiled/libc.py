"""Functions of the C library, callable from compiled code, so that calls from Python are not in the times measured.

Each is written in plain Python, used with `NUMBA_DISABLE_JIT=1`, and has a compiled form that is the bare call.
Nothing checks bounds: callers prove them first.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import intrinsic, overload

from sim.compressors.base import Pages
from sim.compressors.compiled.memory import Bytes

# numba's stub describes the decorator's argument, not its result.
_intrinsic: Callable[[Callable[..., Any]], Callable[..., Any]] = intrinsic
_MADV_PAGEOUT = 21  # include/uapi/asm-generic/mman-common.h
_BYTE, _INT, _LONG = ir.IntType(8), ir.IntType(32), ir.IntType(64)


def write_row(fd: int, pages: Pages, row: int, offset: int) -> int:
    """`pwrite` of a row of pages; the bytes written, -1 if it failed."""
    try:
        return os.pwrite(fd, pages[row].data, offset)
    except OSError:
        return -1


def read_row(fd: int, pages: Pages, row: int, offset: int) -> int:
    """`pread` into a row of pages; the bytes read, -1 if it failed."""
    try:
        return os.preadv(fd, [pages[row].data], offset)
    except OSError:
        return -1


def page_out_row(pages: Pages, row: int) -> int:
    """`madvise(MADV_PAGEOUT)` of a row of pages, which is a page of memory; 0, or -1 if it failed."""
    size = pages.shape[1]
    address = ctypes.c_void_p(pages.ctypes.data + int(row) * size)
    status: int = ctypes.CDLL(None).madvise(address, ctypes.c_size_t(size), _MADV_PAGEOUT)
    return status


def copy_bytes(target: Bytes, at: int, source: Bytes, start: int, count: int) -> None:
    """`memcpy` of `count` bytes between two arrays."""
    target[at : at + count] = source[start : start + count]


def _function(builder: Any, name: str, result: Any, arguments: list[Any]) -> Any:
    known = builder.module.globals.get(name)
    return known or ir.Function(builder.module, ir.FunctionType(result, arguments), name)


def _address(context: Any, builder: Any, array_type: Any, array: Any, offset: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(builder.bitcast(data, _BYTE.as_pointer()), [offset], source_etype=_BYTE)


def _at_row(name: str) -> Any:
    @_intrinsic
    def transfer(typing: Any, fd: Any, pages: Any, row: Any, offset: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            fd, pages, row, offset = arguments
            width = builder.extract_value(context.make_array(signature.args[1])(context, builder, pages).shape, 1)
            libc = _function(builder, name, _LONG, [_INT, _BYTE.as_pointer(), _LONG, _LONG])
            place = _address(context, builder, signature.args[1], pages, builder.mul(row, width))
            return builder.call(libc, [builder.trunc(fd, _INT), place, width, offset])

        return types.int64(types.int64, pages, types.int64, types.int64), code

    return transfer


@_intrinsic
def _page_out(typing: Any, pages: Any, row: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pages, row = arguments
        width = builder.extract_value(context.make_array(signature.args[0])(context, builder, pages).shape, 1)
        libc = _function(builder, "madvise", _INT, [_BYTE.as_pointer(), _LONG, _INT])
        place = _address(context, builder, signature.args[0], pages, builder.mul(row, width))
        return builder.sext(builder.call(libc, [place, width, _INT(_MADV_PAGEOUT)]), _LONG)

    return types.int64(pages, types.int64), code


@_intrinsic
def _memcpy(typing: Any, target: Any, at: Any, source: Any, start: Any, count: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, at, source, start, count = arguments
        pointer = _BYTE.as_pointer()
        libc = _function(builder, "memcpy", pointer, [pointer, pointer, _LONG])
        write = _address(context, builder, signature.args[0], target, at)
        read = _address(context, builder, signature.args[2], source, start)
        builder.call(libc, [write, read, count])
        return context.get_dummy_value()

    return types.none(target, types.int64, source, types.int64, types.int64), code


_pwrite, _pread = _at_row("pwrite64"), _at_row("pread64")

overload(write_row, strict=False)(
    lambda fd, pages, row, offset: lambda fd, pages, row, offset: _pwrite(fd, pages, row, offset)
)
overload(read_row, strict=False)(
    lambda fd, pages, row, offset: lambda fd, pages, row, offset: _pread(fd, pages, row, offset)
)
overload(page_out_row, strict=False)(lambda pages, row: lambda pages, row: _page_out(pages, row))
overload(copy_bytes, strict=False)(
    lambda target, at, source, start, count: (
        lambda target, at, source, start, count: _memcpy(target, at, source, start, count)
    )
)
