"""LZ4 with a dictionary: the parse of the kernel's `LZ4_loadDict` and `LZ4_compress_fast_continue`.

Source: lib/lz4/lz4_compress.c of 4.11 to 6.18. Unlike `LZ4_compress_fast` for blocks of up to 64 KiB, the table has
half as many places, for positions of 32 bits, and hashes five bytes instead of four; the first of a block is entered
too. Every third position of the dictionary is in the table from the beginning, except its last 7 bytes. A match of the
block does not reach back into the dictionary.

Dictionary and block lie in one array, `data`, here; in the kernel they need not, which changes nothing in the stream.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocators.compiled.borrow import borrow
from allocators.compiled.jit import compiled, entry
from sim.compressors.compiled.clock import clock_ns
from sim.compressors.compiled.copying import common_length
from sim.compressors.compiled.lz4_decode import decompress_block
from sim.compressors.compiled.lz4_encode import (
    LAST_LITERALS,
    LAST_MATCH_START,
    MIN_MATCH,
    SKIP_TRIGGER,
    put_literals,
    put_match,
)
from sim.compressors.compiled.memory import Bytes, byte_at, copy_exact, word_at

TABLE_SIZE = 4096
MOST = 1 << 16
LEAST = 8
"""Bytes of a dictionary: of one that is shorter or longer LZ4_loadDict takes less, which backend_lz4.c refuses."""
FARTHEST = 65535
EMPTY = -1
PRIME = 889523592379
Table = NDArray[np.int32]


@compiled
def _slot(data: Bytes, at: int) -> int:
    return (word_at(data, at) | byte_at(data, at + 4) << 32) * PRIME >> 28 & (TABLE_SIZE - 1)


@entry
def load(dictionary: Bytes, table: Table) -> None:
    """Fill the table with which every block begins."""
    dictionary, table = borrow(dictionary), borrow(table)
    table[:] = EMPTY
    for at in range(0, len(dictionary) - LEAST + 1, 3):
        table[_slot(dictionary, at)] = at


@compiled
def _matches(data: Bytes, candidate: int, here: int) -> bool:
    return candidate >= 0 and candidate + FARTHEST >= here and word_at(data, candidate) == word_at(data, here)


@compiled
def _search(data: Bytes, table: Table, start: int, last: int, acceleration: int) -> tuple[int, int]:
    """As in `lz4_encode`: the first place from `start` with a match, and where that is; -1 when there is none."""
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
        slot = _slot(data, here)
        candidate = int(table[slot])
        table[slot] = here
        if _matches(data, candidate, here):
            return here, candidate


@compiled
def compress_block(data: Bytes, start: int, stream: Bytes, table: Table, acceleration: int) -> int:
    """Compress `data[start:]` with the dictionary before it, which is in the table; the stream's length."""
    size = len(data)
    last, limit = size - LAST_MATCH_START, size - LAST_LITERALS
    out = 0
    anchor = start
    here = start + 1
    if here <= last:
        table[_slot(data, start)] = start
    while here <= last:
        here, match = _search(data, table, here, last, acceleration)
        if match < 0:
            break
        lowest = 0 if match < start else start
        while here > anchor and match > lowest and byte_at(data, here - 1) == byte_at(data, match - 1):
            here -= 1
            match -= 1
        token = out
        out = put_literals(stream, out, data, anchor, here - anchor)
        while True:
            extra = common_length(data, match + MIN_MATCH, here + MIN_MATCH, limit)
            out = put_match(stream, out, token, here - match, extra)
            here += MIN_MATCH + extra
            anchor = here
            if here > last:
                break
            table[_slot(data, here - 2)] = here - 2
            slot = _slot(data, here)
            match = int(table[slot])
            table[slot] = here
            if not _matches(data, match, here):
                break
            token = out
            stream[token] = 0
            out += 1
        here += 1
    return put_literals(stream, out, data, anchor, size - anchor)


@entry
def compress_pages(
    pages: Bytes,
    data: Bytes,
    loaded: Table,
    table: Table,
    streams: Bytes,
    sizes: NDArray[np.int32],
    times: NDArray[np.int64],
    acceleration: int,
) -> None:
    """`exact.Codec.compress_pages`. `data` holds the dictionary and has room for a page; `loaded` is its table, copied
    for each page as backend_lz4.c does."""
    pages, data, loaded, table, streams = borrow(pages), borrow(data), borrow(loaded), borrow(table), borrow(streams)
    start = len(data) - pages.shape[1]
    for i in range(len(pages)):
        copy_exact(data, start, pages[i], 0, pages.shape[1])
        began = clock_ns()
        table[:] = loaded
        sizes[i] = compress_block(data, start, streams[i], table, acceleration)
        times[i] = clock_ns() - began


@entry
def decompress_pages(
    streams: Bytes,
    lengths: NDArray[np.int32],
    data: Bytes,
    pages: Bytes,
    sizes: NDArray[np.int32],
    times: NDArray[np.int64],
) -> None:
    """`exact.Codec.decompress_pages`."""
    streams, data, pages = borrow(streams), borrow(data), borrow(pages)
    start = len(data) - pages.shape[1]
    for i in range(len(streams)):
        began = clock_ns()
        sizes[i] = decompress_block(streams[i], lengths[i], data, start)
        times[i] = clock_ns() - began
        copy_exact(pages[i], 0, data, start, pages.shape[1])
