"""`raw`: just the allocator."""

from __future__ import annotations

from typing import ClassVar

from allocators import Allocator
from sim.frontends.base import Frontend, empty_slots
from sim.frontends.kernels import raw as kernels
from workloads.sizes import Sizes


class Raw(Frontend):
    """Every page is compressed, same-filled ones too, and the object handed over whatever its size."""

    name: ClassVar[str] = "raw"

    def device(self, n_slots: int, allocator: Allocator, *secondary: Sizes) -> kernels.Raw:
        """See `Frontend.device`."""
        return kernels.Raw(empty_slots(n_slots))
