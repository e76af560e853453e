"""Random numbers that are the same on every machine and in every release of numpy.

numpy promises that of no method of its Generators, and libm's pow, exp and log differ in their last bits from machine
to machine. Everything here is 64-bit integers: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) of a counter, so that
any number of a stream is had without those before it.
"""

from __future__ import annotations

import hashlib
from array import array

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
UNIT = 1 << 32  # what `parts` are out of: a share of 1


class Draws:
    """A stream of random numbers of its own for each key."""

    def __init__(self, *key: int | str) -> None:
        self._key = key
        digest = hashlib.blake2b(repr(key).encode(), digest_size=8).digest()
        self._start = np.uint64(int.from_bytes(digest, "little"))

    def of(self, *key: int | str) -> Draws:
        """Return another stream, named within this one."""
        return Draws(*self._key, *key)

    def at(self, index: npt.NDArray[np.integer]) -> Words:
        """Return the numbers at these places of the stream, uint64 of the same shape."""
        return mixed(self._start + (index.astype(np.uint64) + np.uint64(1)) * GOLDEN)

    def words(self, n: int) -> Words:
        """Return the first n numbers, uint64[n]."""
        return self.at(np.arange(n))

    def below(self, bound: int, n: int) -> Numbers:
        """Return n whole numbers from 0 to bound - 1, int64[n]."""
        return modulo(self.words(n), bound)

    def parts(self, n: int) -> array[int]:
        """Return n whole numbers from 0 to `UNIT` - 1, to be compared with `share`."""
        return listed(self.words(n) >> np.uint64(32))


def listed(numbers: npt.NDArray[np.integer]) -> array[int]:
    """Return numbers for a loop in plain Python: as quick as a list, and eight bytes each."""
    return array("Q", numbers.astype(np.uint64).tobytes())


def share(part: float) -> int:
    """Return a share, 0 to 1, of `UNIT`; exact, because a product with a power of two is."""
    return int(part * UNIT)


def modulo(words: Words, bound: int) -> Numbers:
    """Return random words as numbers from 0 to bound - 1; the bias is that of 2**64 / bound."""
    return (words % np.uint64(bound)).astype(np.int64)


def spread(keys: Words, count: int, salt: int = 0) -> Words:
    """Return `count` random words of each key, uint64[len(keys), count]; others for another salt."""
    steps = np.arange(1 + (salt << 32), 1 + (salt << 32) + count, dtype=np.uint64) * GOLDEN
    return mixed(keys[:, None] + steps)


def as_bytes(words: Words) -> npt.NDArray[np.uint8]:
    """Return the bytes of words[..., n], uint8[..., 8 n], the lowest first on any machine."""
    return np.ascontiguousarray(words, "<u8").view(np.uint8)


def mixed(words: Words) -> Words:
    """Return SplitMix64's finaliser of every word."""
    words = words ^ (words >> np.uint64(30))
    words *= np.uint64(0xBF58476D1CE4E5B9)
    words ^= words >> np.uint64(27)
    words *= np.uint64(0x94D049BB133111EB)
    words ^= words >> np.uint64(31)
    return words
