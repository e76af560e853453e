"""The decoder of LZO1X streams, versions 0 and 1.

Source: the format as Documentation/staging/lzo.rst of 5.1 to 6.18 describes it. Every read and write is checked against
its array first, so no stream, however damaged, reaches beyond one.
"""

from __future__ import annotations

from allocators.compiled.jit import compiled
from sim.compressors.compiled.copying import copy_words
from sim.compressors.compiled.lzo_encode import VERSION, VERSION_MARK
from sim.compressors.compiled.lzo_tokens import MIDDLE_DISTANCE, MIN_ZEROS
from sim.compressors.compiled.memory import Bytes, byte_at, copy4, copy8, copy_exact, half_at, move_bytes

CORRUPT = -1
RUN = 4  # literals or more


@compiled
def _length(stream: Bytes, at: int, end: int, bits: int, mask: int) -> tuple[int, int]:
    """A length of which the instruction holds `bits`, and where the stream goes on; CORRUPT when it ends first."""
    if bits:
        return bits, at
    length = mask
    while at < end:
        more = byte_at(stream, at)
        at += 1
        if more:
            return length + more, at
        length += 255
    return CORRUPT, at


@compiled
def _start(stream: Bytes, end: int) -> tuple[int, bool]:
    """Where the instructions begin (CORRUPT for an unknown version), and whether runs of zeros occur."""
    if end < 5 or byte_at(stream, 0) != VERSION_MARK:
        return 0, False
    version = byte_at(stream, 1)
    return (2 if version <= VERSION else CORRUPT), version == VERSION


@compiled
def decompress_block(stream: Bytes, end: int, block: Bytes) -> int:
    """Decompress `stream[:end]` into `block`; the bytes written, or CORRUPT for a stream that breaks the format."""
    size = len(block)
    at, runs = _start(stream, end)
    if at == CORRUPT or end < 3:
        return CORRUPT
    done = 0
    before = 0  # literals of the instruction before, 4 for a run of them: codes below 16 depend on it
    if byte_at(stream, at) > 17:
        literals = byte_at(stream, at) - 17
        at += 1
        if literals > end - at or literals > size:
            return CORRUPT
        _copy_run(block, 0, stream, at, literals, end)
        at += literals
        done = literals
        before = min(literals, RUN)
    while end - at >= 2:  # no instruction is shorter
        code = byte_at(stream, at)
        operand = byte_at(stream, at + 1)
        zeros = 0
        if code >= 64:
            count = (code >> 5) + 1
            distance = (operand << 3) + (code >> 2 & 7) + 1
            literals = code & 3
            at += 2
        elif code >= 16:
            at += 1
            far = code < 32
            if far and runs and code & 8 and end - at >= 3 and half_at(stream, at) >= 0xFFFC:
                zeros = (byte_at(stream, at + 2) << 3 | (code & 7)) + MIN_ZEROS
                literals = byte_at(stream, at) & 3
                at += 3
                count, distance = 0, 0
            else:
                mask = 7 if far else 31
                count, at = _length(stream, at, end, code & mask, mask)
                if count == CORRUPT or end - at < 2:
                    return CORRUPT
                count += 2
                distance = (half_at(stream, at) >> 2) + 1
                literals = byte_at(stream, at) & 3
                at += 2
                if far:
                    distance += (code & 8) << 11
                    if distance == 1:  # the end of the stream, always written with a count of three
                        return done if count == 3 and at == end else CORRUPT
                    distance += MIDDLE_DISTANCE - 1
        elif before == 0:
            length, at = _length(stream, at + 1, end, code, 15)
            literals = length + 3
            if length == CORRUPT or literals > end - at or literals > size - done:
                return CORRUPT
            _copy_run(block, done, stream, at, literals, end)
            at += literals
            done += literals
            before = RUN
            continue
        else:
            count, distance = (3, 2049) if before == RUN else (2, 1)
            distance += (operand << 2) + (code >> 2)
            literals = code & 3
            at += 2
        if zeros:
            if zeros > size - done:
                return CORRUPT
            block[done : done + zeros] = 0
            done += zeros
        else:
            if distance > done or count > size - done:
                return CORRUPT
            if distance >= 8 and count + 15 <= size - done:  # as in the kernel, for equal times
                copy_words(block, done, distance, count)
            else:
                move_bytes(block, done, block, done - distance, count)
            done += count
        if end - at >= 6 and size - done >= 4:  # most: a copy without a loop, even of nothing
            copy4(block, done, stream, at)
        elif literals > end - at or literals > size - done:
            return CORRUPT
        else:
            copy_exact(block, done, stream, at, literals)
        at += literals
        done += literals
        before = literals
    return CORRUPT


@compiled
def _copy_run(block: Bytes, done: int, stream: Bytes, at: int, count: int, end: int) -> None:
    """Copy a run of literals: by words where there is room, else a byte at a time, as in the kernel."""
    if count + 15 <= len(block) - done and count + 15 <= end - at:
        copied = 0
        while copied < count:
            copy8(block, done + copied, stream, at + copied)
            copy8(block, done + copied + 8, stream, at + copied + 8)
            copied += 16
    else:
        move_bytes(block, done, stream, at, count)
