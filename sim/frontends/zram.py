"""`zram`: the compressed block device."""

from __future__ import annotations

from typing import ClassVar

from allocators import Allocator
from allocators.kernels import arrays
from sim.frontends.base import Frontend, empty_slots, huge_size
from sim.frontends.kernels import zram as kernels


class Zram(Frontend):
    """zram as of 6.18: same-filled pages are kept by value, incompressible ones whole (see `kernels.zram`)."""

    name: ClassVar[str] = "zram"

    def device(self, n_slots: int, allocator: Allocator) -> kernels.Zram:
        """See `Frontend.device`."""
        rules = arrays.records(1, kernels.RULES)
        rules["huge"], rules["page_size"] = huge_size(allocator), allocator.page_size
        return kernels.Zram(empty_slots(n_slots), rules)
