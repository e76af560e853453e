"""The instructions of an LZO1X stream, written one at a time.

Source: Documentation/staging/lzo.rst (the stream format) of 5.1 to 6.18; which encoding serves which distance and
length is the choice of lib/lzo/lzo1x_compress.c. `out` is always the offset where the stream goes on, and what a
function returns is the next one.
"""

from __future__ import annotations

from allocators.compiled.jit import compiled
from sim.compressors.compiled.copying import copy16, copy_run
from sim.compressors.compiled.memory import Bytes

NEAR_LENGTH, NEAR_DISTANCE = 8, 0x800
MIDDLE_LENGTH, MIDDLE_DISTANCE = 33, 0x4000
FAR_LENGTH = 9
MIDDLE, FAR = 32, 16
"""Opcodes of copies from up to 16 KiB away, and from beyond."""
MIN_ZEROS, MAX_ZEROS = 4, 2051
"""Zero bytes one run-length instruction holds (version 1)."""


@compiled
def _put_excess(stream: Bytes, out: int, excess: int) -> int:
    """What a length has beyond the instruction's own bits: zero bytes for 255 each, then 1..255."""
    while excess > 255:
        stream[out] = 0
        out += 1
        excess -= 255
    stream[out] = excess
    return out + 1


@compiled
def put_literals(stream: Bytes, out: int, block: Bytes, start: int, count: int, hook: int) -> int:
    """Copy `count` literals; up to three are counted in the two low bits of the byte at `hook`."""
    if count <= 3:
        stream[hook] |= count
    elif count <= 18:
        stream[out] = count - 3
        out += 1
    else:
        stream[out] = 0
        out = _put_excess(stream, out + 1, count - 18)
    if count <= 16 and start + 16 <= len(block) and out + 16 <= len(stream):
        copy16(stream, out, block, start)
    else:
        copy_run(stream, out, block, start, count)
    return out + count


@compiled
def _put_block(stream: Bytes, out: int, opcode: int, longest: int, distance: int, count: int) -> int:
    """A copy with a two-byte distance (already less its base), counts over `longest` going on in bytes."""
    if count <= longest:
        stream[out] = opcode | (count - 2)
        out += 1
    else:
        stream[out] = opcode
        out = _put_excess(stream, out + 1, count - longest)
    stream[out] = (distance << 2) & 255
    stream[out + 1] = (distance >> 6) & 255
    return out + 2


@compiled
def put_match(stream: Bytes, out: int, distance: int, count: int) -> int:
    """A copy of `count` (at least 3) bytes from `distance` back, in the shortest form there is."""
    if count <= NEAR_LENGTH and distance <= NEAR_DISTANCE:
        stream[out] = (count - 1) << 5 | ((distance - 1) & 7) << 2
        stream[out + 1] = (distance - 1) >> 3
        return out + 2
    if distance <= MIDDLE_DISTANCE:
        return _put_block(stream, out, MIDDLE, MIDDLE_LENGTH, distance - 1, count)
    beyond = distance - MIDDLE_DISTANCE
    return _put_block(stream, out, FAR | (beyond >> 11 & 8), FAR_LENGTH, beyond & 0x3FFF, count)


@compiled
def put_zeros(stream: Bytes, out: int, count: int) -> int:
    """A run of MIN_ZEROS..MAX_ZEROS zero bytes: a far copy whose distance is all ones, and one byte more."""
    excess = count - MIN_ZEROS
    stream[out] = FAR | 8 | (excess & 7)
    stream[out + 1] = 0xFC
    stream[out + 2] = 0xFF
    stream[out + 3] = excess >> 3
    return out + 4


@compiled
def put_end(stream: Bytes, out: int) -> int:
    """The end of the stream: a copy of three bytes from 16 KiB back, which nothing else encodes."""
    stream[out] = FAR | 1
    stream[out + 1] = 0
    stream[out + 2] = 0
    return out + 3
