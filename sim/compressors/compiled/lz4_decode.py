"""The decoder of LZ4 blocks.

Source: liblz4's lz4_Block_format.md. Every read and write is checked against its array first, so no stream, however
damaged, reaches beyond one.
"""

from __future__ import annotations

from allocators.compiled.jit import compiled
from sim.compressors.compiled.copying import copy16, copy_literals, copy_match
from sim.compressors.compiled.lz4_encode import MIN_MATCH
from sim.compressors.compiled.memory import Bytes, byte_at, copy8, half_at

SHORT, ROOM = 24, 40
"""Bytes of stream and block that hold any sequence without length bytes: then the copies need no loops, whose turns
would be guessed wrong."""


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
def decompress_block(stream: Bytes, end: int, block: Bytes, start: int = 0) -> int:
    """Decompress `stream[:end]` into `block[start:]`; the bytes written, or -1 for a stream that breaks the format.

    What lies before `start`, a dictionary, can be repeated too.
    """
    size = len(block)
    at = 0
    done = start
    while at < end:
        token = byte_at(stream, at)
        literals, count = token >> 4, token & 15
        if literals < 15 and end - at >= SHORT and size - done >= ROOM:
            copy16(block, done, stream, at + 1)
            at += 1 + literals
            done += literals
            distance = half_at(stream, at)  # SHORT bytes hold more than literals
            at += 2
            if count < 15 and 8 <= distance <= done:
                copy8(block, done, block, done - distance)
                copy8(block, done + 8, block, done + 8 - distance)
                copy8(block, done + 16, block, done + 16 - distance)
                done += count + MIN_MATCH
                continue
        else:
            literals, at = _length(stream, at + 1, end, literals)
            if literals < 0 or literals > end - at or literals > size - done:
                return -1
            copy_literals(block, done, stream, at, literals)
            at += literals
            done += literals
            if at == end:  # the last sequence has no match
                return done - start
            if end - at < 2:
                return -1
            distance = half_at(stream, at)
            at += 2
        extra, at = _length(stream, at, end, count)
        if extra < 0 or distance == 0 or distance > done or extra + MIN_MATCH > size - done:
            return -1
        copy_match(block, done, distance, extra + MIN_MATCH)
        done += extra + MIN_MATCH
    return -1
