"""Copies and counts against what they say, with every room that may be left in the array."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pytest

from sim.compressors.compiled.copying import clear, common_length, copy_bytes, copy_literals, copy_match, copy_run
from sim.compressors.compiled.memory import Bytes, move_bytes

GUARD = 32
START = 24
compiled: Any = numba.njit


@compiled
def match(data: Bytes, at: int, distance: int, count: int) -> None:
    copy_match(data, at, distance, count)


@compiled
def single(data: Bytes, at: int, distance: int, count: int) -> None:
    copy_bytes(data, at, distance, count)


@compiled
def literals(target: Bytes, at: int, source: Bytes, start: int, count: int) -> None:
    copy_literals(target, at, source, start, count)


@compiled
def run(target: Bytes, at: int, source: Bytes, start: int, count: int) -> None:
    copy_run(target, at, source, start, count)


@compiled
def moved(data: Bytes, at: int, distance: int, count: int) -> None:
    move_bytes(data, at, data, at - distance, count)


@compiled
def cleared(data: Any, at: int, count: int) -> None:
    clear(data, at, count)


@compiled
def common(data: Bytes, left: int, right: int, limit: int) -> int:
    return common_length(data, left, right, limit)


@pytest.mark.parametrize("copy", [match, single, moved])
@pytest.mark.parametrize("distance", [*range(1, 18), START])
def test_a_match_repeats_and_stays_in_its_array(copy: Any, distance: int) -> None:
    for count in (*range(1, 36), 100):
        for room in (*range(18), 40):
            size = START + count + room
            memory = np.arange(size + 2 * GUARD, dtype=np.uint8)
            expected = memory.copy()
            for i in range(GUARD + START, GUARD + START + count):
                expected[i] = expected[i - distance]
            copy(memory[GUARD : GUARD + size], START, distance, count)
            assert np.array_equal(memory[: GUARD + START + count], expected[: GUARD + START + count])
            assert np.array_equal(memory[GUARD + size :], expected[GUARD + size :])


@pytest.mark.parametrize("copy", [literals, run])
@pytest.mark.parametrize("room", [0, 1, 15, 16, 40])
def test_literals_stay_in_their_array(copy: Any, room: int) -> None:
    for count in (*range(40), 100):
        memory = np.zeros(count + room + 2 * GUARD, np.uint8)
        source = np.arange(1, count + room + 1, dtype=np.uint8)
        copy(memory[GUARD : GUARD + count + room], 0, source, 0, count)
        assert np.array_equal(memory[GUARD : GUARD + count], source[:count])
        assert not memory[:GUARD].any()
        assert not memory[GUARD + count + room :].any()


def test_common_length_ends_at_the_first_difference_or_the_limit() -> None:
    for equal in range(40):
        data = np.zeros(80, np.uint8)
        data[10 + equal] = 1
        for limit in range(10, 80):
            assert common(data, 0, 10, limit) == min(equal, limit - 10)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_what_is_cleared_and_no_more(kind: type[np.generic]) -> None:
    for count in (*range(20), *range(60, 150)):
        memory = np.full(200, 0xFFFF, np.uint16).view(kind)
        cleared(memory, 3, count)
        assert np.flatnonzero(memory.view(np.uint8) == 0).tolist() == list(range(3, 3 + count))
