"""LZO1X-1(15) as the kernel has it, with and without runs of zeros.

Source: lib/lzo/lzo1x_compress.c of 5.1 (runs of zeros), 5.8 (no ambiguous far copies) to 6.18. A table of 8192 places
remembers where a word of four bytes was seen last; a match is taken as soon as one is found, never looked back
from, and its length is found eight bytes at a time. Positions are relative to a part of at most 48 KiB, the
farthest a copy may reach; the literals left over at the end of a part begin the next one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocators.compiled.jit import compiled
from sim.compressors.compiled.copying import clear, common_length, copy_run
from sim.compressors.compiled.lzo_tokens import (
    MAX_ZEROS,
    MIDDLE_DISTANCE,
    put_end,
    put_literals,
    put_match,
    put_zeros,
)
from sim.compressors.compiled.memory import Bytes, equal_bytes, word_at

TABLE_SIZE = 8192
TAIL = 20
"""No look-up in the last 20 bytes of a part."""
LARGEST_PART = 0xC000
VERSION_MARK, VERSION = 17, 1
"""A first byte of 17, which version 0 never writes, announces a version."""


def bound(size: int) -> int:
    """Bytes the stream of an incompressible block of `size` bytes takes."""
    return size + size // 16 + 69


@compiled
def _slot(word: int) -> int:
    return ((word * 0x1824429D) & 0xFFFFFFFF) >> 19


@compiled
def _match_length(block: Bytes, match: int, here: int, last: int) -> int:
    """Length of a match of at least four bytes, found in steps of eight from the fifth.

    Beyond `last` a step is no longer looked into: the match ends where the step begins.
    """
    length = 4
    equal = equal_bytes(block, match + length, here + length)
    while equal == 8:
        length += 8
        if here + length >= last:
            return length
        equal = equal_bytes(block, match + length, here + length)
    return length + equal


@compiled
def _zeros(block: Bytes, here: int, last: int) -> int:
    """Length of the run of zeros that begins with the four at `here`."""
    limit = max(min(last, here + MAX_ZEROS), here + 4)
    # Each zero equals the one before it.
    return 4 + common_length(block, here + 3, here + 4, limit)


@compiled
def _unambiguous(distance: int, count: int) -> int:
    """The match length to encode: some far copies of 261..264 bytes would read as a run of zeros."""
    beyond = distance - MIDDLE_DISTANCE
    return 260 if 261 <= count <= 264 and beyond > 0 and beyond & 0x403F == 0x403F else count


@compiled
def _compress_part(
    block: Bytes,
    start: int,
    end: int,
    left_over: int,
    stream: Bytes,
    out: int,
    hook: int,
    table: NDArray[np.uint16],
    runs: bool,
) -> tuple[int, int, int]:
    """Compress block[start:end]; where the stream goes on, its hook, and literals not yet written."""
    clear(table, 0, 2 * TABLE_SIZE)
    last = end - TAIL
    anchor = start
    here = start + max(4 - left_over, 0) + 1
    while here < last:
        word = word_at(block, here)
        zeros = 0
        match = 0
        if runs and word == 0:
            zeros = _zeros(block, here, last)
        else:
            slot = _slot(word)
            match = start + int(table[slot])
            table[slot] = here - start
            if word_at(block, match) != word:
                here += 1 + (here - anchor >> 5)
                continue
        literals = here - anchor + left_over
        if literals:
            out = put_literals(stream, out, block, anchor - left_over, literals, hook)
            left_over = 0
        if zeros:
            out = put_zeros(stream, out, zeros)
            hook = out - 3
            here += zeros
        else:
            length = _match_length(block, match, here, last)
            if runs:
                length = _unambiguous(here - match, length)
            out = put_match(stream, out, here - match, length)
            hook = out - 2
            here += length
        anchor = here
    return out, hook, end - anchor + left_over


@compiled
def compress_block(block: Bytes, stream: Bytes, table: NDArray[np.uint16]) -> int:
    """Compress one block; the stream's length. `table` is scratch of TABLE_SIZE places."""
    return _compress(block, stream, table, False)


@compiled
def compress_block_with_zeros(block: Bytes, stream: Bytes, table: NDArray[np.uint16]) -> int:
    """The same with runs of zeros; a stream says itself which of the two it is."""
    return _compress(block, stream, table, True)


@compiled
def _compress(block: Bytes, stream: Bytes, table: NDArray[np.uint16], runs: bool) -> int:
    size = len(block)
    out = 0
    largest = LARGEST_PART
    if runs:
        stream[0] = VERSION_MARK
        stream[1] = VERSION
        out = 2
        largest -= 1  # keeps the farthest distance for runs
    begin = out
    hook = 0
    start = 0
    left_over = 0
    while size - start > TAIL:
        end = min(start + largest, size)
        out, hook, left_over = _compress_part(block, start, end, left_over, stream, out, hook, table, runs)
        start = end
    left_over += size - start
    if out == begin and 0 < left_over <= 238:  # the first instruction has a form of its own
        stream[out] = 17 + left_over
        copy_run(stream, out + 1, block, size - left_over, left_over)
        out += 1 + left_over
    elif left_over:
        out = put_literals(stream, out, block, size - left_over, left_over, hook)
    return put_end(stream, out)
