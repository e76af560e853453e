"""Copies inside and between byte arrays.

Where both arrays have room for it, whole words are copied, and up to fifteen bytes past the end are written with what
the caller will write over; near the end of an array a copy is exact. No access leaves an array.
"""

from __future__ import annotations

from allocators.compiled.jit import compiled
from sim.compressors.compiled.memory import Bytes, copy1, copy8, copy16, copy_exact, equal_bytes


@compiled
def copy_literals(target: Bytes, at: int, source: Bytes, start: int, count: int) -> None:
    """Copy `count` bytes between two different arrays."""
    if at + count + 16 <= len(target) and start + count + 16 <= len(source):
        copy16(target, at, source, start)  # most are short: no loop, no guess of how often it turns
        done = 16
        while done < count:
            copy16(target, at + done, source, start + done)
            done += 16
    else:
        copy_exact(target, at, source, start, count)


@compiled
def copy_bytes(data: Bytes, at: int, distance: int, count: int) -> None:
    """Repeat at `at` what lies `distance` bytes before it, a byte at a time (as the kernel's LZO does near the end)."""
    end = at + count
    while at < end:
        copy1(data, at, data, at - distance)
        at += 1


@compiled
def copy_match(data: Bytes, at: int, distance: int, count: int) -> None:
    """Repeat at `at` what lies `distance` bytes before it; a distance below `count` repeats the pattern.

    In words of eight bytes, as the kernel's LZ4 does it, and never in larger steps: on nearly empty pages, which are
    one long match, it is this loop that takes the time.
    """
    end = at + count
    last = len(data) - 8  # no word begins later
    period = distance
    if distance < 8:
        while period < 8:  # a multiple of the distance repeats the same pattern, and lets whole words be copied
            period += distance
        copy_bytes(data, at, distance, min(count, 8))
        at += 8
    elif at + 8 <= last:
        copy8(data, at, data, at - distance)
        copy8(data, at + 8, data, at + 8 - distance)
        at += 16
    whole = min(end, last + 1)
    while at < whole:
        copy8(data, at, data, at - period)
        at += 8
    copy_bytes(data, at, distance, end - at)


@compiled
def common_length(data: Bytes, left: int, right: int, limit: int) -> int:
    """How many bytes from `left` equal those from `right`, where right > left; no byte from `limit` on is compared."""
    start = right
    while right + 8 <= limit:
        equal = equal_bytes(data, left, right)
        if equal < 8:
            return right - start + equal
        right += 8  # not by `equal`, which the next comparison would have to wait for
        left += 8
    while right < limit and data[left] == data[right]:
        left += 1
        right += 1
    return right - start
