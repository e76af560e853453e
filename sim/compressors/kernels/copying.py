"""Copies inside and between byte arrays.

Where both arrays have room for it, whole words are copied, and up to fifteen bytes past the end are written with what
the caller will write over; near the end of an array a copy is exact. No access leaves an array.
"""

from __future__ import annotations

from allocators.jit import kernel
from sim.compressors.kernels.memory import Bytes, copy1, copy8, copy16, equal_bytes


@kernel
def copy_literals(target: Bytes, at: int, source: Bytes, start: int, count: int) -> None:
    """Copy `count` bytes between two different arrays."""
    if at + count + 16 <= len(target) and start + count + 16 <= len(source):
        copy16(target, at, source, start)  # most are short: no loop, no guess of how often it turns
        done = 16
        while done < count:
            copy16(target, at + done, source, start + done)
            done += 16
    else:
        for i in range(count):
            copy1(target, at + i, source, start + i)


@kernel
def copy_match(data: Bytes, at: int, distance: int, count: int) -> None:
    """Repeat at `at` what lies `distance` bytes before it; a distance below `count` repeats the pattern."""
    if at + count + 16 > len(data):
        for i in range(count):
            copy1(data, at + i, data, at + i - distance)
    elif distance >= 8:
        copy8(data, at, data, at - distance)
        copy8(data, at + 8, data, at + 8 - distance)
        done = 16
        while done < count:
            copy8(data, at + done, data, at + done - distance)
            done += 8
    else:
        period = distance
        while period < 8:  # a multiple of the distance repeats the same pattern, and lets whole words be copied
            period += distance
        for i in range(8):
            copy1(data, at + i, data, at + i - distance)
        done = 8
        while done < count:
            copy8(data, at + done, data, at + done - period)
            done += 8


@kernel
def common_length(data: Bytes, left: int, right: int, limit: int) -> int:
    """How many bytes from `left` equal those from `right`, where right > left; no byte from `limit` on is compared."""
    start = right
    while right + 8 <= limit:
        equal = equal_bytes(data, left, right)
        right += equal
        left += equal
        if equal < 8:
            return right - start
    while right < limit and data[left] == data[right]:
        left += 1
        right += 1
    return right - start
