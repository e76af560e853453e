"""The decoder of LZ4 blocks.

Source: liblz4's lz4_Block_format.md. Every read and write is checked against its array first, so no stream, however
damaged, reaches beyond one.
"""

from __future__ import annotations

from allocators.compiled.jit import compiled
from sim.compressors.compiled.copying import copy_literals, copy_match
from sim.compressors.compiled.lz4_encode import MIN_MATCH
from sim.compressors.compiled.memory import Bytes, byte_at, copy8, copy16, half_at

SHORT = 24
"""Room for any sequence without length bytes: then the copies need no loops, whose turns would be guessed wrong."""


@compiled
def _length(stream: Bytes, at: int, end: int, nibble: int) -> tuple[int, int]:
    """A length of which the token holds `nibble`, and where the stream goes on; -1 when it ends first."""
    if nibble < 15:
        return nibble, at
    length = nibble
    while at < end:
        more = byte_at(stream, at)
        at += 1
        length += more
        if more < 255:
            return length, at
    return -1, at


@compiled
def decompress_block(stream: Bytes, end: int, block: Bytes) -> int:
    """Decompress `stream[:end]` into `block`; the bytes written, or -1 for a stream that breaks the format."""
    size = len(block)
    at = 0
    done = 0
    while at < end:
        token = byte_at(stream, at)
        literals = token >> 4
        if literals < 15 and end - at >= SHORT and size - done >= SHORT:
            copy16(block, done, stream, at + 1)
            at += 1 + literals
        else:
            literals, at = _length(stream, at + 1, end, literals)
            if literals < 0 or literals > end - at or literals > size - done:
                return -1
            copy_literals(block, done, stream, at, literals)
            at += literals
        done += literals
        if at == end:  # the last sequence has no match
            return done
        if end - at < 2:
            return -1
        distance = half_at(stream, at)
        at += 2
        count = token & 15
        if count < 15 and 8 <= distance <= done and size - done >= SHORT:
            copy8(block, done, block, done - distance)
            copy8(block, done + 8, block, done + 8 - distance)
            copy8(block, done + 16, block, done + 16 - distance)
            done += count + MIN_MATCH
            continue
        extra, at = _length(stream, at, end, count)
        if extra < 0 or distance == 0 or distance > done or extra + MIN_MATCH > size - done:
            return -1
        copy_match(block, done, distance, extra + MIN_MATCH)
        done += extra + MIN_MATCH
    return -1
