"""Copies inside and between byte arrays.

Where both arrays have room for it, whole words are copied, and up to seven bytes past the end are written with what
the caller will write over; near the end of an array a copy is exact. No access leaves an array.
"""

from __future__ import annotations

from allocators.jit import kernel
from sim.compressors.kernels.memory import Bytes, copy8, equal_bytes


@kernel
def copy_literals(target: Bytes, at: int, source: Bytes, start: int, count: int) -> None:
    """Copy `count` bytes between two different arrays."""
    if at + count + 8 <= len(target) and start + count + 8 <= len(source):
        for i in range(0, count, 8):
            copy8(target, at + i, source, start + i)
    else:
        for i in range(count):
            target[at + i] = source[start + i]


@kernel
def copy_match(data: Bytes, at: int, distance: int, count: int) -> None:
    """Repeat at `at` what lies `distance` bytes before it; a distance below `count` repeats the pattern."""
    period = distance
    while period < 8:  # a multiple of the distance repeats the same pattern, and lets whole words be copied
        period += distance
    done = min(count, period - distance)
    for i in range(done):
        data[at + i] = data[at + i - distance]
    if at + count + 8 <= len(data):
        while done < count:
            copy8(data, at + done, data, at + done - period)
            done += 8
    else:
        for i in range(done, count):
            data[at + i] = data[at + i - period]


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
