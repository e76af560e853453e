"""Pages that repeat one machine word, which zram and zswap keep as a value."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
import numpy.typing as npt
from msgspec import Meta

from workloads.generators.contents.base import Content, InTurn, Pages, Place, Pool
from workloads.generators.draws import Numbers, as_bytes


class Zero(Content, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The page of zeros."""

    name: ClassVar[str] = "zero"

    def pool(self, place: Place) -> Pool:
        """See `Content.pool`."""
        return ZeroPool(self, place)


class Same(Content, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pages that repeat one random 64-bit word; there are `pages` of them."""

    name: ClassVar[str] = "same"
    pages: Annotated[int, Meta(ge=1, le=1 << 30)] = 16

    def pool(self, place: Place) -> Pool:
        """See `Content.pool`."""
        return SamePool(self, place)


class SamePool(InTurn):
    """One word a page; without bytes the size is what lz4 needs: a length byte for each 255 bytes, and the literals."""

    sized = True
    zero = False

    def pages(self, numbers: Numbers) -> Pages:
        """See `Pool.pages`."""
        word = self._place.draws.at(numbers)
        return as_bytes(np.repeat(word[:, None], self._place.page_size // 8, axis=1))

    def sizes(self, numbers: Numbers) -> npt.NDArray[np.int32]:
        """See `Pool.sizes`."""
        return np.full(len(numbers), self._place.page_size // 255 + (10 if self.zero else 17), np.int32)

    def filled(self, numbers: Numbers) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """See `Pool.filled`."""
        return np.ones(len(numbers), np.bool_), np.full(len(numbers), self.zero)


class ZeroPool(SamePool):
    """The same, of zero."""

    zero = True

    def __init__(self, content: Zero, place: Place) -> None:
        self._place = place

    def numbers(self, order: Numbers, luck: Numbers) -> Numbers:  # type: ignore[override]
        """See `Pool.numbers`."""
        return np.zeros(len(order), np.int64)

    def pages(self, numbers: Numbers) -> Pages:
        """See `Pool.pages`."""
        return np.zeros((len(numbers), self._place.page_size), np.uint8)
