"""The LZ4 block format, with the parse of the kernel's `LZ4_compress_fast`.

Sources: lib/lz4/lz4_compress.c of 4.11 to 6.18 (the parse of liblz4 1.7.3-1.8.1) and liblz4's
lz4_Block_format.md. A block is a row of sequences: a token (four bits of literal count, four of match length), the
literals, a two-byte distance, lengths of 15 and more going on in bytes of 255.

Positions are kept in 16 bits, so blocks go up to 64 KiB; larger ones the kernel compresses with another table.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocators.compiled.jit import compiled
from sim.compressors.compiled.copying import clear, common_length, copy_literals
from sim.compressors.compiled.memory import Bytes, byte_at, word_at

MIN_MATCH = 4
LAST_MATCH_START = 12
"""No match starts in the last 12 bytes of a block."""
LAST_LITERALS = 5
"""The last 5 bytes are always literals."""
SKIP_TRIGGER = 6
"""After 2**6 misses in a row the search takes longer steps; with an acceleration of n it begins with steps of n."""
TABLE_SIZE = 8192


def bound(size: int) -> int:
    """Bytes the stream of an incompressible block of `size` bytes takes."""
    return size + size // 255 + 16


@compiled
def _slot(word: int) -> int:
    return ((word * 2654435761) & 0xFFFFFFFF) >> 19


@compiled
def _search(block: Bytes, table: NDArray[np.uint16], start: int, last: int, acceleration: int) -> tuple[int, int]:
    """The first place from `start` with a candidate, and the candidate; -1 when the search ends without.

    Every place looked at goes into the table. The search ends when the place *after* the current one is out of reach.
    """
    following = start
    step = 1
    tries = acceleration << SKIP_TRIGGER
    while True:
        here = following
        following += step
        step = tries >> SKIP_TRIGGER
        tries += 1
        if following > last:
            return here, -1
        word = word_at(block, here)
        slot = _slot(word)
        candidate = int(table[slot])
        table[slot] = here
        if word_at(block, candidate) == word:
            return here, candidate


@compiled
def _put_length(stream: Bytes, out: int, rest: int) -> int:
    while rest >= 255:
        stream[out] = 255
        out += 1
        rest -= 255
    stream[out] = rest
    return out + 1


@compiled
def put_literals(stream: Bytes, out: int, block: Bytes, start: int, count: int) -> int:
    """Begin a sequence at `out`: token, count and literals; where its distance goes."""
    stream[out] = min(count, 15) << 4
    out += 1
    if count >= 15:
        out = _put_length(stream, out, count - 15)
    copy_literals(stream, out, block, start, count)
    return out + count


@compiled
def put_match(stream: Bytes, out: int, token: int, distance: int, extra: int) -> int:
    """End the sequence whose token is at `token`: distance, and match length beyond the four certain bytes."""
    stream[out] = distance & 255
    stream[out + 1] = distance >> 8
    out += 2
    stream[token] |= min(extra, 15)
    if extra >= 15:
        out = _put_length(stream, out, extra - 15)
    return out


@compiled
def compress_block(block: Bytes, stream: Bytes, table: NDArray[np.uint16], acceleration: int) -> int:
    """Compress one block; the stream's length. `table` is scratch of TABLE_SIZE places."""
    size = len(block)
    last, limit = size - LAST_MATCH_START, size - LAST_LITERALS
    out = 0
    anchor = 0
    here = 1  # place 0 is what an empty table names
    clear(table, 0, 2 * TABLE_SIZE)
    while here <= last:
        here, match = _search(block, table, here, last, acceleration)
        if match < 0:
            break
        while here > anchor and match > 0 and byte_at(block, here - 1) == byte_at(block, match - 1):
            here -= 1
            match -= 1
        token = out
        out = put_literals(stream, out, block, anchor, here - anchor)
        while True:
            extra = common_length(block, match + MIN_MATCH, here + MIN_MATCH, limit)
            out = put_match(stream, out, token, here - match, extra)
            here += MIN_MATCH + extra
            anchor = here
            if here > last:
                break
            table[_slot(word_at(block, here - 2))] = here - 2
            word = word_at(block, here)
            slot = _slot(word)
            match = int(table[slot])
            table[slot] = here
            if word_at(block, match) != word:
                break
            token = out  # the next match begins at once: a sequence without literals
            stream[token] = 0
            out += 1
        here += 1
    return put_literals(stream, out, block, anchor, size - anchor)
