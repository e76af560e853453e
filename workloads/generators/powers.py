"""Powers and weighted choices in whole numbers, for what `math.pow` would answer differently on another machine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from workloads.generators.draws import Numbers, Words

BITS = 24  # of a logarithm, behind the point
HALVINGS = [math.isqrt(1 << 63)]  # 2**(-1/2), 2**(-1/4), ... in units of 2**-32, each the root of the one before
for _ in range(BITS - 1):
    HALVINGS.append(math.isqrt(HALVINGS[-1] << 32))
NARROWEST = 64  # part of the width that a bell may be: its parameters times logarithms stay within 63 bits
TOP = 36  # weights are below 2**TOP, so that those of all slots that a device may have add up within 64 bits


def log2(values: npt.ArrayLike) -> Numbers:
    """Return binary logarithms of whole numbers from 1 to 2**31, int64 in units of 2**-BITS, cut."""
    x = np.asarray(values, np.uint64)
    whole = np.frexp(x.astype(np.float64))[1].astype(np.int64) - 1  # reads the exponent, nothing is rounded
    mantissa = x << (31 - whole).astype(np.uint64)
    result = whole
    for _ in range(BITS):
        mantissa = (mantissa * mantissa) >> np.uint64(31)
        bit = mantissa >> np.uint64(32)
        mantissa >>= bit
        result = (result << 1) | bit.astype(np.int64)
    return result


def exp2_down(logarithms: Numbers) -> Words:
    """Return 2**(TOP - y) of logarithms y >= 0 in units of 2**-BITS, uint64, cut."""
    whole = np.minimum(logarithms >> BITS, 63).astype(np.uint64)
    mantissa: Words = np.full(len(logarithms), 0xFFFFFFFF, np.uint64)
    for place, factor in enumerate(HALVINGS):
        bit = ((logarithms >> (BITS - 1 - place)) & 1).astype(np.bool_)
        mantissa = np.where(bit, (mantissa * np.uint64(factor)) >> np.uint64(32), mantissa)
    mantissa <<= np.uint64(TOP - 32)
    mantissa >>= whole
    return mantissa


def zipf(n: int, exponent: float) -> Words:
    """Return weights of ranks 1..n that fall as rank**-exponent, uint64[n]."""
    steps = int(exponent * 65536)
    falls: Numbers = (log2(np.arange(1, n + 1)) * steps) >> 16
    return exp2_down(falls)


def beta(n: int, mean: float, sd: float) -> Words:
    """Return weights of the values 1..n in proportion to the density of a beta distribution on 0..n, uint64[n].

    `sd` is less than sqrt(mean * (n - mean)), and at least n / NARROWEST.
    """
    m, s = Fraction(mean) / n, Fraction(sd) / n
    weight = m * (1 - m) / s**2 - 1
    left, right = (math.floor((part * weight - 1) * 65536) for part in (m, 1 - m))
    x = 2 * np.arange(n, dtype=np.int64) + 1  # middles of n intervals, in units of 1 / 2n
    whole = log2(np.array([2 * n]))
    fall = ((whole - log2(x)) * left + (whole - log2(2 * n - x)) * right) >> 16
    return exp2_down(fall - fall.min())


def weights(parts: Sequence[float]) -> Words:
    """Return what a user gave as relative shares, in units of 2**-32."""
    return np.array([int(part * (1 << 32)) for part in parts], np.uint64)


class Choice:
    """A choice among n things by whole weights."""

    def __init__(self, weight: Words) -> None:
        self._until = np.cumsum(weight)

    def pick(self, words: Words) -> Numbers:
        """Return which, int64 of the same shape, for each random word."""
        which: Numbers = np.searchsorted(self._until, words % self._until[-1], side="right")
        return which


def apportioned(total: int, parts: Sequence[float]) -> list[int]:
    """Return whole numbers in proportion to parts that add up to `total`; what is left goes to the largest rests."""
    whole = [int(part * (1 << 32)) for part in parts]
    quotas = [divmod(total * part, sum(whole)) for part in whole]
    left = total - sum(quota for quota, _ in quotas)
    most = sorted(range(len(parts)), key=lambda i: (-quotas[i][1], i))[:left]
    return [quota + (i in most) for i, (quota, _) in enumerate(quotas)]
