"""Pages of a given compressibility."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from workloads.generators import powers
from workloads.generators.contents.base import Made, Pages
from workloads.generators.draws import Numbers, Words, as_bytes, spread

CHUNK = 256
COPY = 5  # bytes an LZ codec spends on a chunk besides its literals: lengths and an offset


class Entropy(Made, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Random bytes of `bits` each, or random bytes that repeat, so that LZ codecs come near a `ratio`.

    The bytes are 2 ** `bits` different ones, rounded, all as frequent. `ratio` is compressed/original: a number, or a
    list of two between which those of the pages lie evenly.
    """

    name: ClassVar[str] = "entropy"
    bits: Annotated[float, Meta(ge=0, le=8)] | None = None
    ratio: float | tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if (self.bits is None) == (self.ratio is None):
            raise ValueError("bits or ratio says how random the bytes are; give one of them")
        if self.ratio is not None and not 0 < self._ends[0] <= self._ends[1] <= 1:
            raise ValueError(
                "ratio is out of range; give a number over 0 and up to 1, or two of them, the smaller one first"
            )

    @property
    def _ends(self) -> tuple[float, float]:
        ratio = self.ratio or 0.0
        return ratio if isinstance(ratio, tuple) else (ratio, ratio)

    def fill(self, keys: Words, page_size: int) -> Pages:
        """See `Made.fill`."""
        if self.bits is not None:
            halves = as_bytes(spread(keys, page_size // 4)).view("<u2").astype(np.uint32)
            return ((halves * np.uint32(_symbols(self.bits))) >> np.uint32(16)).astype(np.uint8)
        noise = as_bytes(spread(keys, page_size // 8))
        chunk = min(CHUNK, page_size)
        chunks = page_size // chunk
        budget = np.clip(self._bytes(keys, page_size) - COPY * chunks, chunks, page_size)
        fresh = (budget[:, None] + np.arange(chunks)) // chunks  # random bytes of each chunk; sums to the budget
        at = np.arange(chunk) % fresh[:, :, None]
        return np.take_along_axis(noise.reshape(len(keys), chunks, chunk), at, axis=2).reshape(len(keys), page_size)

    def _bytes(self, keys: Words, page_size: int) -> Numbers:
        """How many bytes each page is to become."""
        low, high = (int(end * page_size) for end in self._ends)
        luck = spread(keys, 1, salt=1)[:, 0]
        return low + (luck % np.uint64(high - low + 1)).astype(np.int64)


def _symbols(bits: float) -> int:
    """How many different bytes have so many bits each: 2 ** bits, rounded."""
    whole = int(powers.exp2_down(np.array([int((8 - bits) * (1 << powers.BITS))]))[0])
    return (whole + (1 << (powers.TOP - 9))) >> (powers.TOP - 8)
