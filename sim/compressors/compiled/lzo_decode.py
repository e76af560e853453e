"""The decoder of LZO1X streams, versions 0 and 1.

Source: the format as Documentation/staging/lzo.rst of 5.1 to 6.18 describes it. Every read and write is checked against
its array first, so no stream, however damaged, reaches beyond one.
"""

from __future__ import annotations

from allocators.compiled.jit import compiled
from sim.compressors.compiled.copying import clear, copy16, copy_words
from sim.compressors.compiled.lzo_encode import VERSION, VERSION_MARK
from sim.compressors.compiled.lzo_tokens import MIDDLE_DISTANCE, MIN_ZEROS
from sim.compressors.compiled.memory import Bytes, byte_at, copy4, copy_exact, half_at, move_bytes

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
    """Decompress `stream[:end]` into `block`; the bytes written, or CORRUPT for a stream that breaks the format.

    The steps, and which copies go by words and which by bytes, are those of the kernel, for equal times. Three bytes or
    more are left before every instruction, or the stream is corrupt, since its end takes as many.
    """
    size = len(block)
    at, runs = _start(stream, end)
    if at == CORRUPT or end - at < 3:
        return CORRUPT
    done = 0
    before = 0  # literals of the instruction before, RUN for a run of them: codes below 16 depend on it
    if byte_at(stream, at) > 17:
        literals = byte_at(stream, at) - 17
        at += 1
        if not _copy_run(block, 0, stream, at, literals, end):
            return CORRUPT
        at += literals
        done = literals
        before = min(literals, RUN)
    while True:
        code = byte_at(stream, at)
        if code >= 64:
            count = (code >> 5) + 1
            distance = (byte_at(stream, at + 1) << 3) + (code >> 2 & 7) + 1
            literals = code & 3
            at += 2
        elif code >= 32:
            count, at = _length(stream, at + 1, end, code & 31, 31)
            if count == CORRUPT or end - at < 2:
                return CORRUPT
            count += 2
            distance = (half_at(stream, at) >> 2) + 1
            literals = byte_at(stream, at) & 3
            at += 2
        elif code >= 16:
            if runs and code & 8 and half_at(stream, at + 1) >= 0xFFFC:
                zeros = (byte_at(stream, at + 3) << 3 | (code & 7)) + MIN_ZEROS if end - at > 3 else size + 1
                if zeros > size - done:
                    return CORRUPT
                clear(block, done, zeros)
                done += zeros
                before = byte_at(stream, at + 1) & 3
                at += 4
                if not _copy_few(block, done, stream, at, before, end):
                    return CORRUPT
                at += before
                done += before
                continue
            count, at = _length(stream, at + 1, end, code & 7, 7)
            if count == CORRUPT or end - at < 2:
                return CORRUPT
            count += 2
            distance = ((code & 8) << 11) + (half_at(stream, at) >> 2)
            literals = byte_at(stream, at) & 3
            at += 2
            if distance == 0:  # the end of the stream, always written with a count of three
                return done if count == 3 and at == end else CORRUPT
            distance += MIDDLE_DISTANCE
        elif before == 0:
            length, at = _length(stream, at + 1, end, code, 15)
            literals = length + 3
            if length == CORRUPT or not _copy_run(block, done, stream, at, literals, end):
                return CORRUPT
            at += literals
            done += literals
            before = RUN
            continue
        else:
            count, distance = (3, 2049) if before == RUN else (2, 1)
            distance += (byte_at(stream, at + 1) << 2) + (code >> 2)
            literals = code & 3
            at += 2
        if distance > done:
            return CORRUPT
        before = literals
        if distance >= 8 and count + 15 <= size - done:
            copy_words(block, done, distance, count)
            done += count
            if end - at >= 6:  # most: no more to check, and a copy without a loop, even of nothing
                copy4(block, done, stream, at)
                at += literals
                done += literals
                continue
        elif count > size - done:
            return CORRUPT
        else:
            move_bytes(block, done, block, done - distance, count)
            done += count
        if not _copy_few(block, done, stream, at, literals, end):
            return CORRUPT
        at += literals
        done += literals


@compiled
def _copy_few(block: Bytes, done: int, stream: Bytes, at: int, count: int, end: int) -> bool:
    """Copy up to three literals; whether there is room for them, and three bytes of the stream after them."""
    if end - at >= 6 and len(block) - done >= 4:
        copy4(block, done, stream, at)
        return True
    if count + 3 > end - at or count > len(block) - done:
        return False
    copy_exact(block, done, stream, at, count)
    return True


@compiled
def _copy_run(block: Bytes, done: int, stream: Bytes, at: int, count: int, end: int) -> bool:
    """Copy a run of literals: by words where there is room, else by bytes; whether there is, as `_copy_few` says."""
    if count + 15 <= len(block) - done and count + 15 <= end - at:
        copied = 0
        while copied < count:
            copy16(block, done + copied, stream, at + copied)
            copied += 16
        return True
    if count + 3 > end - at or count > len(block) - done:
        return False
    move_bytes(block, done, stream, at, count)
    return True
