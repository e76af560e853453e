"""Unaligned little-endian words in byte arrays, which numba lacks.

Each function is written in plain Python, which says what it does and is used with `NUMBA_DISABLE_JIT=1`, and has a
compiled form of one or two machine instructions, which stay these: the kernel has no vector registers, so that loops of
them must not become loops of larger steps (`_alone`). All take one-dimensional C-contiguous uint8 arrays and offsets in
bytes. Nothing checks the bounds: the codecs prove them before they call. Compiled, for little-endian machines.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import binding, ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.extending import intrinsic, overload, register_jitable
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

# numba's stub describes the decorator's argument, not its result.
_intrinsic: Callable[[Callable[..., Any]], Callable[..., Any]] = intrinsic
binding.initialize_native_asmparser()  # for `_alone` and `move_bytes`
_BYTE, _WORD, _LONG = ir.IntType(8), ir.IntType(32), ir.IntType(64)


def byte_at(data: Bytes, at: int) -> int:
    """The byte at `at`, as a signed 64-bit integer (numpy's own uint8 would wrap)."""
    return int(data[at])


def half_at(data: Bytes, at: int) -> int:
    """The two bytes from `at` as an unsigned number."""
    return int(data[at]) | int(data[at + 1]) << 8


def word_at(data: Bytes, at: int) -> int:
    """The four bytes from `at` as an unsigned number."""
    return int.from_bytes(data[at : at + 4].tobytes(), "little")


def equal_bytes(data: Bytes, left: int, right: int) -> int:
    """How many of the eight bytes from `left` equal those from `right` before the first difference: 0..8."""
    for i in range(8):
        if data[left + i] != data[right + i]:
            return i
    return 8


def copy1(target: Bytes, at: int, source: Bytes, start: int) -> None:
    """Copy one byte."""
    target[at] = source[start]


def move_bytes(target: Bytes, at: int, source: Bytes, start: int, count: int) -> None:
    """Copy `count` bytes, at least one, one after the other, so that a copy may repeat what it wrote."""
    for i in range(count):
        copy1(target, at + i, source, start + i)


def copy4(target: Bytes, at: int, source: Bytes, start: int) -> None:
    """Copy four bytes at once: read first, then written."""
    target[at : at + 4] = source[start : start + 4].copy()


def copy8(target: Bytes, at: int, source: Bytes, start: int) -> None:
    """Copy eight bytes at once: read first, then written."""
    target[at : at + 8] = source[start : start + 8].copy()


def clear1(data: NDArray[Any], at: int) -> None:
    """Set the byte at the offset `at` to zero; `data` may have any element type."""
    data.view(np.uint8)[at] = 0


def clear8(data: NDArray[Any], at: int) -> None:
    """Set the eight bytes from the offset `at` to zero, at once; `data` may have any element type."""
    data.view(np.uint8)[at : at + 8] = 0


def copy_exact(target: Bytes, at: int, source: Bytes, start: int, count: int) -> None:
    """Copy `count` bytes, exactly, to where they do not overlap."""
    target[at : at + count] = source[start : start + count]


def _address(context: Any, builder: Any, bits: ir.IntType, array_type: Any, array: Any, at: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    base = builder.bitcast(data, _BYTE.as_pointer())
    return builder.bitcast(builder.gep(base, [at], source_etype=_BYTE), bits.as_pointer())


def _load(bits: ir.IntType) -> Any:
    @_intrinsic
    def load(typing: Any, data: Any, at: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            address = _address(context, builder, bits, signature.args[0], *arguments)
            return builder.zext(builder.load(address, align=1, typ=bits), _LONG)

        return types.int64(data, types.int64), code

    return load


def _alone(builder: Any) -> None:
    """An empty piece of assembly: LLVM does not look into it, and neither merges nor vectorizes what lies around it."""
    builder.asm(ir.FunctionType(ir.VoidType(), []), "", "", [], side_effect=True)


@_intrinsic
def _move_bytes(typing: Any, target: Any, at: Any, source: Any, start: Any, count: Any) -> Any:
    """The loop that compilers make of the kernel's: an instruction that moves a byte and counts both addresses up."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        read = _address(context, builder, _BYTE, signature.args[2], *arguments[2:4])
        write = _address(context, builder, _BYTE, signature.args[0], *arguments[:2])
        end = builder.gep(write, [arguments[4]], source_etype=_BYTE)
        pointer = _BYTE.as_pointer()
        kind = ir.FunctionType(ir.LiteralStructType([pointer, pointer]), [pointer, pointer, pointer])
        loop = "1: movsb\ncmp $4, $0\njb 1b"
        builder.asm(kind, loop, "={di},={si},0,1,r,~{memory},~{flags}", [write, read, end], side_effect=True)
        return context.get_dummy_value()

    return types.none(target, types.int64, source, types.int64, types.int64), code


def _copy(bits: ir.IntType) -> Any:
    @_intrinsic
    def copy(typing: Any, target: Any, at: Any, source: Any, start: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            read = _address(context, builder, bits, signature.args[2], *arguments[2:])
            write = _address(context, builder, bits, signature.args[0], *arguments[:2])
            builder.store(builder.load(read, align=1, typ=bits), write, align=1)
            _alone(builder)
            return context.get_dummy_value()

        return types.none(target, types.int64, source, types.int64), code

    return copy


def _clear(bits: ir.IntType) -> Any:
    @_intrinsic
    def clear(typing: Any, data: Any, at: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            builder.store(bits(0), _address(context, builder, bits, signature.args[0], *arguments), align=1)
            _alone(builder)
            return context.get_dummy_value()

        return types.none(data, types.int64), code

    return clear


@_intrinsic
def _copy_exact(typing: Any, target: Any, at: Any, source: Any, start: Any, count: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        read = _address(context, builder, _BYTE, signature.args[2], *arguments[2:4])
        write = _address(context, builder, _BYTE, signature.args[0], *arguments[:2])
        cgutils.raw_memcpy(builder, write, read, arguments[4], 1)  # type: ignore[no-untyped-call]
        return context.get_dummy_value()

    return types.none(target, types.int64, source, types.int64, types.int64), code


@_intrinsic
def _equal_bytes(typing: Any, data: Any, left: Any, right: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data, *places = arguments
        left, right = (
            builder.load(_address(context, builder, _LONG, signature.args[0], data, at), align=1, typ=_LONG)
            for at in places
        )
        # The lowest set bit of the difference lies in the first byte that differs; 64 when there is none.
        return builder.lshr(builder.cttz(builder.xor(left, right), ir.IntType(1)(0)), _LONG(3))

    return types.int64(data, types.int64, types.int64), code


_load1, _load2, _load4 = _load(_BYTE), _load(ir.IntType(16)), _load(_WORD)
_copy1, _copy4, _copy8 = _copy(_BYTE), _copy(_WORD), _copy(_LONG)
_clear1, _clear8 = _clear(_BYTE), _clear(_LONG)

overload(byte_at, strict=False)(lambda data, at: lambda data, at: _load1(data, at))
overload(half_at, strict=False)(lambda data, at: lambda data, at: _load2(data, at))
overload(word_at, strict=False)(lambda data, at: lambda data, at: _load4(data, at))
overload(equal_bytes, strict=False)(lambda data, left, right: lambda data, left, right: _equal_bytes(data, left, right))
overload(copy1, strict=False)(
    lambda target, at, source, start: lambda target, at, source, start: _copy1(target, at, source, start)
)
if platform.machine() in ("x86_64", "AMD64"):  # elsewhere a loop of `copy1`
    overload(move_bytes, strict=False)(
        lambda target, at, source, start, count: (
            lambda target, at, source, start, count: _move_bytes(target, at, source, start, count)
        )
    )
else:
    register_jitable(move_bytes)
overload(copy4, strict=False)(
    lambda target, at, source, start: lambda target, at, source, start: _copy4(target, at, source, start)
)
overload(copy8, strict=False)(
    lambda target, at, source, start: lambda target, at, source, start: _copy8(target, at, source, start)
)
overload(clear1, strict=False)(lambda data, at: lambda data, at: _clear1(data, at))
overload(clear8, strict=False)(lambda data, at: lambda data, at: _clear8(data, at))
overload(copy_exact, strict=False)(
    lambda target, at, source, start, count: (
        lambda target, at, source, start, count: _copy_exact(target, at, source, start, count)
    )
)
