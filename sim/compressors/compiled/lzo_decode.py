"""The decoder of LZO1X streams, versions 0 and 1.

Source: the format as Documentation/staging/lzo.rst of 5.1 to 6.18 describes it. Every read and write is checked against
its array first, so no stream, however damaged, reaches beyond one.
"""

from __future__ import annotations

from allocators.compiled.jit import compiled
from sim.compressors.compiled.copying import copy_bytes, copy_literals, copy_match
from sim.compressors.compiled.lzo_encode import VERSION, VERSION_MARK
from sim.compressors.compiled.lzo_tokens import MIDDLE_DISTANCE, MIN_ZEROS
from sim.compressors.compiled.memory import Bytes, byte_at, copy8, copy16, half_at

CORRUPT = -1


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
    literals = 0  # of the last instruction, still to be copied; the next one's meaning depends on them
    if byte_at(stream, at) > 17:
        literals = byte_at(stream, at) - 17
        at += 1
    while True:
        if literals <= 16 and end - at >= 18 and size - done >= 16:  # most: a copy without a loop, even of nothing
            copy16(block, done, stream, at)
        elif literals > end - at or literals > size - done:
            return CORRUPT
        else:
            copy_literals(block, done, stream, at, literals)
        at += literals
        done += literals
        if end - at < 2:  # no instruction is shorter
            return CORRUPT
        code = byte_at(stream, at)
        operand = byte_at(stream, at + 1)
        if code >= 64:
            count = (code >> 5) + 1
            distance = (operand << 3) + (code >> 2 & 7) + 1
            literals = code & 3
            at += 2
            if 8 <= distance <= done and size - done >= 8:
                copy8(block, done, block, done - distance)
                done += count
                continue
        elif code >= 16:
            at += 1
            far = code < 32
            if far and runs and code & 8 and end - at >= 3 and half_at(stream, at) >= 0xFFFC:
                run = (byte_at(stream, at + 2) << 3 | (code & 7)) + MIN_ZEROS
                if run > size - done:
                    return CORRUPT
                block[done : done + run] = 0
                done += run
                literals = byte_at(stream, at) & 3
                at += 3
                continue
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
        elif literals == 0:
            length, at = _length(stream, at + 1, end, code, 15)
            if length == CORRUPT:
                return CORRUPT
            literals = length + 3
            continue
        else:
            count, distance = (3, 2049) if literals >= 4 else (2, 1)
            distance += (operand << 2) + (code >> 2)
            literals = code & 3
            at += 2
        if distance > done or count > size - done:
            return CORRUPT
        if distance >= 8 and count + 15 <= size - done:  # as in the kernel, for equal times
            copy_match(block, done, distance, count)
        else:
            copy_bytes(block, done, distance, count)
        done += count
