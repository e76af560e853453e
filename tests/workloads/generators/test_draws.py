"""Random numbers and powers against plain whole numbers and `math`."""

from __future__ import annotations

import math

import numpy as np
import pytest

from workloads.generators import powers
from workloads.generators.draws import Draws, as_bytes, mixed, spread

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


def splitmix(state: int) -> int:
    z = state & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def test_draws_are_splitmix64() -> None:
    assert splitmix(GOLDEN) == 0xE220A8397B1DCDAF  # the first number of seed 0, as published
    states = np.array([GOLDEN, 0, 1, MASK], np.uint64)
    assert mixed(states).tolist() == [splitmix(GOLDEN), splitmix(0), splitmix(1), splitmix(MASK)]
    keys = np.array([7, MASK], np.uint64)
    assert spread(keys, 3).tolist() == [[splitmix(key + i * GOLDEN) for i in (1, 2, 3)] for key in keys.tolist()]


def test_any_number_of_a_stream_is_had_alone_and_streams_differ() -> None:
    draws = Draws("a", 1)
    assert draws.at(np.array([5, 2])).tolist() == [draws.words(6)[5], draws.words(6)[2]]
    assert draws.of("b").words(4).tolist() == Draws("a", 1, "b").words(4).tolist()
    streams = (draws, draws.of("b"), draws.of(1), draws.of("1"), Draws("a", 2))
    assert len({int(stream.words(1)[0]) for stream in streams}) == len(streams)
    assert as_bytes(np.array([0x0102], np.uint64)).tolist() == [2, 1, 0, 0, 0, 0, 0, 0]


def test_logarithms_and_powers() -> None:
    values = [1, 2, 3, 1000, 12345, (1 << 31) - 1, 1 << 31]
    assert (powers.log2(values) / 2**powers.BITS).tolist() == pytest.approx([math.log2(v) for v in values], abs=1e-7)
    for exponent in (0.0, 0.5, 1.0, 2.25):
        weight = powers.zipf(50, exponent) / 2.0**powers.TOP
        assert weight.tolist() == pytest.approx([k**-exponent for k in range(1, 51)], rel=1e-5)


@pytest.mark.parametrize(("mean", "sd"), [(694, 474), (1340, 842), (1636, 1031), (3000, 64)])
def test_beta_has_its_mean_and_deviation(mean: float, sd: float) -> None:
    weight, value = powers.beta(4096, mean, sd).astype(float), np.arange(1, 4097)
    found = (weight * value).sum() / weight.sum()
    assert found == pytest.approx(mean, abs=1)
    assert ((weight * (value - found) ** 2).sum() / weight.sum()) ** 0.5 == pytest.approx(sd, abs=0.5)


def test_shares_are_apportioned_whole() -> None:
    assert powers.apportioned(10, [1, 1, 1]) == [4, 3, 3]
    assert powers.apportioned(1, [1, 2]) == [0, 1]
    assert powers.apportioned(100, [0.25, 0.5, 0.25]) == [25, 50, 25]
    choice = powers.Choice(powers.weights([3, 1e-6, 1]))
    picked = np.bincount(choice.pick(Draws("pick").words(40_000)), minlength=3) / 40_000
    assert picked == pytest.approx([0.75, 0, 0.25], abs=0.01)
