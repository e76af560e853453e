"""`zram`: the compressed block device."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from allocators import Allocator
from allocators.kernels import arrays
from sim.frontends.base import Frontend, empty_slots, huge_size
from sim.frontends.kernels import zram as kernels

NO_LIMIT = np.iinfo(np.int64).max


class Zram(Frontend):
    """zram as of 6.18: same-filled pages are kept by value, incompressible ones whole (see `kernels.zram`).

    `mem_limit` is the most memory in bytes that the pool may hold, rounded up to whole pages; 0 for no limit. A write
    beyond it fails. Raises ValueError for a negative one.
    """

    name: ClassVar[str] = "zram"

    def __init__(self, mem_limit: int = 0) -> None:
        if mem_limit < 0:
            raise ValueError(f"mem_limit={mem_limit}: give 0 (no limit) or a number of bytes")
        self.mem_limit = mem_limit

    def device(self, n_slots: int, allocator: Allocator) -> kernels.Zram:
        """See `Frontend.device`."""
        rules = arrays.records(1, kernels.RULES)
        rules["huge"], rules["page_size"] = huge_size(allocator), allocator.page_size
        rules["limit"] = -(-self.mem_limit // allocator.page_size) or NO_LIMIT
        return kernels.Zram(empty_slots(n_slots), rules, arrays.records(1, kernels.PEAKS))
