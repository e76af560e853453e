"""LZ4HC: the parse of the kernel's `LZ4_compress_HC` and `LZ4_compress_HC_continue`.

Source: lib/lz4/lz4hc_compress.c of 4.11 to 7.2 (the parse of liblz4 1.7.3, which later ones do not have). All places
passed are chained by a hash of four bytes, and of each chain as many are tried as the level says. A match found is
written once two others that begin inside it, and are longer, have been looked for.

Dictionary and block lie in one array, `data`. A match of the block does not reach back into the dictionary, whose last
three bytes are not in the chains. The tables are made anew, and the dictionary entered, for each page.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocators.compiled.borrow import borrow
from allocators.compiled.jit import compiled, entry
from sim.compressors.compiled.clock import clock_ns
from sim.compressors.compiled.copying import common_length
from sim.compressors.compiled.lz4_encode import (
    LAST_LITERALS,
    LAST_MATCH_START,
    MIN_MATCH,
    put_literals,
    put_match,
)
from sim.compressors.compiled.memory import Bytes, byte_at, copy_exact, word_at

HASHES, CHAINS = 1 << 15, 1 << 16
FARTHEST = 65535
NEVER = -(1 << 16)  # what an empty hash names
OPTIMAL = 18
"""A match longer than this is not worth being cut short for another one that begins inside it."""
TOKEN_MOST = 15
Hashes = NDArray[np.int32]
Chains = NDArray[np.uint16]


@compiled
def _slot(data: Bytes, at: int) -> int:
    return ((word_at(data, at) * 2654435761) & 0xFFFFFFFF) >> 17


@compiled
def _enter(data: Bytes, hashes: Hashes, chains: Chains, begin: int, end: int) -> None:
    """Chain all places from `begin` to `end` - 1."""
    for at in range(begin, end):
        slot = _slot(data, at)
        back = at - int(hashes[slot])
        chains[at & (CHAINS - 1)] = back if 0 <= back <= FARTHEST else FARTHEST
        hashes[slot] = at


@compiled
def _lowest(here: int) -> int:
    """The first place that a match may begin at."""
    return 0 if here <= FARTHEST else here - FARTHEST


@compiled
def _longest(data: Bytes, hashes: Hashes, chains: Chains, here: int, limit: int, attempts: int) -> tuple[int, int]:
    """Length of the longest match for the bytes from `here`, the nearest of that length, and where it is."""
    length, found = 0, -1
    lowest, word = _lowest(here), word_at(data, here)
    candidate = int(hashes[_slot(data, here)])
    while candidate >= lowest and attempts > 0:
        attempts -= 1
        if word_at(data, candidate) == word:
            this = MIN_MATCH + common_length(data, candidate + MIN_MATCH, here + MIN_MATCH, limit)
            if this > length:
                length, found = this, candidate
        candidate -= int(chains[candidate & (CHAINS - 1)])
    return length, found


@compiled
def _wider(
    data: Bytes,
    start: int,
    hashes: Hashes,
    chains: Chains,
    here: int,
    first: int,
    limit: int,
    length: int,
    attempts: int,
) -> tuple[int, int, int]:
    """A match longer than `length` that covers `here` and begins at `first` or later: its length, which is `length`
    when there is none, where it is, and where it begins."""
    found, begin = -1, -1
    lowest, word = _lowest(here), word_at(data, here)
    candidate = int(hashes[_slot(data, here)])
    while candidate >= lowest and attempts > 0:
        attempts -= 1
        beyond = candidate - here + first + length
        if byte_at(data, first + length) == byte_at(data, beyond) and word_at(data, candidate) == word:
            floor = start if candidate >= start else lowest
            back = 0
            while (
                here - back > first
                and candidate - back > floor
                and byte_at(data, here - back - 1) == byte_at(data, candidate - back - 1)
            ):
                back += 1
            this = back + MIN_MATCH + common_length(data, candidate + MIN_MATCH, here + MIN_MATCH, limit)
            if this > length:
                length, found, begin = this, candidate - back, here - back
        candidate -= int(chains[candidate & (CHAINS - 1)])
    return length, found, begin


@compiled
def _kept(at: int, length: int, second: int, second_length: int) -> int:
    """What is kept of a match at `at` if a second one, which begins inside it, is to keep MIN_MATCH."""
    kept = min(length, OPTIMAL)
    if at + kept > second + second_length - MIN_MATCH:
        kept = second - at + second_length - MIN_MATCH
    return kept


@compiled
def _put(stream: Bytes, out: int, data: Bytes, anchor: int, at: int, match: int, length: int) -> int:
    """Write literals from `anchor` on and a match; where the stream goes on."""
    token = out
    out = put_literals(stream, out, data, anchor, at - anchor)
    return put_match(stream, out, token, at - match, length - MIN_MATCH)


@compiled
def compress_block(data: Bytes, start: int, stream: Bytes, hashes: Hashes, chains: Chains, attempts: int) -> int:
    """Compress `data[start:]` with the dictionary before it, which is entered; the stream's length.

    `at`, `match` and `length` are of the match to be written next, and with a 2 or 3 those of two that begin inside it;
    with a 0 those of one whose place another took.
    """
    size = len(data)
    last, limit = size - LAST_MATCH_START, size - LAST_LITERALS
    out, anchor, at, entered = 0, start, start + 1, start
    while at < last:
        _enter(data, hashes, chains, entered, at)
        entered = at
        length, match = _longest(data, hashes, chains, at, limit, attempts)
        if length == 0:
            at += 1
            continue
        at0, match0, length0 = at, match, length
        at2, match2, length2 = -1, -1, 0
        look_for_two = True
        while True:
            if look_for_two:
                length2 = length
                if at + length < last:
                    here = at + length - 2
                    _enter(data, hashes, chains, entered, here)
                    entered = here
                    length2, match2, at2 = _wider(data, start, hashes, chains, here, at, limit, length, attempts)
                if length2 == length:
                    out = _put(stream, out, data, anchor, at, match, length)
                    at += length
                    anchor = at
                    break
                if at0 < at and at2 < at + length0:
                    at, match, length = at0, match0, length0
                if at2 - at < 3:
                    at, match, length = at2, match2, length2
                    continue
                look_for_two = False
            if at2 - at < OPTIMAL:
                shared = max(0, _kept(at, length, at2, length2) - (at2 - at))
                at2, match2, length2 = at2 + shared, match2 + shared, length2 - shared
            length3, match3, at3 = length2, -1, -1
            if at2 + length2 < last:
                here = at2 + length2 - 3
                _enter(data, hashes, chains, entered, here)
                entered = here
                length3, match3, at3 = _wider(data, start, hashes, chains, here, at2, limit, length2, attempts)
            if length3 == length2:
                length = min(length, at2 - at)
                out = _put(stream, out, data, anchor, at, match, length)
                out = _put(stream, out, data, at + length, at2, match2, length2)
                at = at2 + length2
                anchor = at
                break
            if at3 < at + length + 3:
                if at3 >= at + length:
                    if at2 < at + length:
                        shared = at + length - at2
                        at2, match2, length2 = at2 + shared, match2 + shared, length2 - shared
                        if length2 < MIN_MATCH:
                            at2, match2, length2 = at3, match3, length3
                    out = _put(stream, out, data, anchor, at, match, length)
                    anchor = at + length
                    at, match, length = at3, match3, length3
                    at0, match0, length0 = at2, match2, length2
                    look_for_two = True
                    continue
                at2, match2, length2 = at3, match3, length3
                continue
            if at2 < at + length:
                if at2 - at < TOKEN_MOST:
                    length = _kept(at, length, at2, length2)
                    shared = max(0, length - (at2 - at))
                    at2, match2, length2 = at2 + shared, match2 + shared, length2 - shared
                else:
                    length = at2 - at
            out = _put(stream, out, data, anchor, at, match, length)
            anchor = at + length
            at, match, length = at2, match2, length2
            at2, match2, length2 = at3, match3, length3
    return put_literals(stream, out, data, anchor, size - anchor)


@entry
def compress_pages(
    pages: Bytes,
    data: Bytes,
    hashes: Hashes,
    chains: Chains,
    streams: Bytes,
    sizes: NDArray[np.int32],
    times: NDArray[np.int64],
    attempts: int,
) -> None:
    """`exact.Codec.compress_pages`. `data` holds the dictionary, if there is one, and has room for a page."""
    pages, data, hashes, chains, streams = borrow(pages), borrow(data), borrow(hashes), borrow(chains), borrow(streams)
    start = len(data) - pages.shape[1]
    for i in range(len(pages)):
        copy_exact(data, start, pages[i], 0, pages.shape[1])
        began = clock_ns()
        hashes[:] = NEVER
        chains[:] = FARTHEST
        _enter(data, hashes, chains, 0, start - MIN_MATCH + 1)
        sizes[i] = compress_block(data, start, streams[i], hashes, chains, attempts)
        times[i] = clock_ns() - began
