"""Copies inside and between byte arrays.

Where both arrays have room for it, whole words are copied, and up to fifteen bytes past the end are written with what
the caller will write over; near the end of an array a copy is exact. No access leaves an array.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from allocators.compiled.jit import compiled
from sim.compressors.compiled.memory import Bytes, clear1, clear8, copy1, copy4, copy8, copy_exact, equal_bytes


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
def copy_run(target: Bytes, at: int, source: Bytes, start: int, count: int) -> None:
    """Copy `count` bytes between two different arrays as the kernel's LZO does: exactly, the last 15 one by one."""
    end = at + count
    while at + 16 <= end:
        copy16(target, at, source, start)
        at += 16
        start += 16
    while at < end:
        copy1(target, at, source, start)
        at += 1
        start += 1


@compiled
def copy16(target: Bytes, at: int, source: Bytes, start: int) -> None:
    """Copy sixteen bytes between two different arrays, in two words as the kernel does."""
    copy8(target, at, source, start)
    copy8(target, at + 8, source, start + 8)


@compiled
def clear(data: NDArray[Any], at: int, count: int) -> None:
    """Set `count` bytes from the offset `at` to zero as the kernel's memset does: 64 at a time, in words."""
    end = at + count
    while end - at >= 64:
        clear8(data, at)
        clear8(data, at + 8)
        clear8(data, at + 16)
        clear8(data, at + 24)
        clear8(data, at + 32)
        clear8(data, at + 40)
        clear8(data, at + 48)
        clear8(data, at + 56)
        at += 64
    while end - at >= 8:
        clear8(data, at)
        at += 8
    while at < end:
        clear1(data, at)
        at += 1


@compiled
def copy_bytes(data: Bytes, at: int, distance: int, count: int) -> None:
    """Repeat at `at` what lies `distance` bytes before it, a byte at a time (as the kernel's LZO does near the end)."""
    end = at + count
    while at < end:
        copy1(data, at, data, at - distance)
        at += 1


PERIODS = 0xECA89880
"""For each distance below 8, a nibble: its smallest multiple from 8 on, which repeats the same pattern in words."""
HALVES = 0x76546440
"""The same from 4 on."""


@compiled
def copy_match(data: Bytes, at: int, distance: int, count: int) -> None:
    """Repeat at `at` what lies `distance` bytes before it; a distance below `count` repeats the pattern.

    In words of eight bytes, as the kernel's LZ4 does it, and never in larger steps: on nearly empty pages, which are
    one long match, it is this loop that takes the time.
    """
    end = at + count
    period = distance
    if end + 16 > len(data):
        _copy_to_the_end(data, at, distance, end)
        return
    if distance < 8:
        period = PERIODS >> 4 * distance & 15
        copy_four(data, at, distance)
        copy4(data, at + 4, data, at + 4 - (HALVES >> 4 * distance & 15))
    else:
        copy8(data, at, data, at - distance)
    copy8(data, at + 8, data, at + 8 - period)
    at += 16
    while at < end:
        copy8(data, at, data, at - period)
        at += 8


@compiled
def copy_words(data: Bytes, at: int, distance: int, count: int) -> None:
    """`copy_match` from 8 bytes away or more, with room for 15 bytes behind: two words a turn, as the kernel's LZO."""
    end = at + count
    while True:
        copy8(data, at, data, at - distance)
        copy8(data, at + 8, data, at + 8 - distance)
        at += 16
        if at >= end:
            return


@compiled
def copy_four(data: Bytes, at: int, distance: int) -> None:
    """`copy_bytes` of four, without a loop."""
    copy1(data, at, data, at - distance)
    copy1(data, at + 1, data, at + 1 - distance)
    copy1(data, at + 2, data, at + 2 - distance)
    copy1(data, at + 3, data, at + 3 - distance)


@compiled
def _copy_to_the_end(data: Bytes, at: int, distance: int, end: int) -> None:
    """`copy_match` where the last words would leave the array."""
    last = len(data) - 8  # no word begins later
    period = distance
    if distance < 8:
        period = PERIODS >> 4 * distance & 15
        first = min(end - at, 8)
        copy_bytes(data, at, distance, first)
        at += first
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
