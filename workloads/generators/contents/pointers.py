"""Pointer-like pages: machine words as heaps have them."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from workloads.generators.contents.base import Made, Pages
from workloads.generators.draws import Words, as_bytes, share, spread
from workloads.generators.patterns.base import Share

HEAP = np.uint64(0x7F5A_0000_0000)  # where mappings lie on 64-bit machines
ALIGNED = np.uint64(4)  # bits: what malloc aligns to


class Pointers(Made, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words of 64 bits: `pointers` into a heap of `heap` MiB, `small` numbers below 256 (shares), the others zero."""

    name: ClassVar[str] = "pointers"
    pointers: Share = 0.4
    small: Share = 0.3
    heap: Annotated[int, Meta(ge=1, le=1 << 20)] = 64

    def __post_init__(self) -> None:
        if self.pointers + self.small > 1:
            raise ValueError("pointers and small are more than 1 together; give shares of the words")

    def fill(self, keys: Words, page_size: int) -> Pages:
        """See `Made.fill`."""
        words = spread(keys, page_size // 8)
        kind = spread(keys, page_size // 8, salt=1) >> np.uint64(32)
        pointers = np.uint64(share(self.pointers))
        both = pointers + np.uint64(share(self.small))
        address = HEAP + ((words % np.uint64(self.heap << 16)) << ALIGNED)
        small = words & np.uint64(0xFF)
        return as_bytes(np.where(kind < pointers, address, np.where(kind < both, small, np.uint64(0))))
