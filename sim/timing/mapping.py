"""Ways to reach an object that spans two pages: the methods that the thread of 2012 compared, as plug-ins.

Objects inside one page need none on 64-bit, so only those that span pay. Costs and their sources: `costs.toml`, [map].
One's own is added with `sim.register`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from allocators.configured import Configured
from sim.timing.costs import Costs

Flags = npt.NDArray[np.bool_]


class Mapping(Configured, ABC):
    """One method. The cost of one map and unmap, and when it fails."""

    @abstractmethod
    def cost(self, costs: Costs, cpus: int) -> float:
        """What one map and unmap costs on a machine of so many CPUs, ns."""

    def fails(self, no_page: Flags) -> Flags:
        """Which of n objects that span pages cannot be mapped; `no_page`: the page zone was empty then."""
        return np.zeros(len(no_page), np.bool_)


class Fixed(Mapping):
    """A method that never fails and whose cost is found under its own name."""

    def cost(self, costs: Costs, cpus: int) -> float:
        """See `Mapping`."""
        return costs.ns("map." + self.name.replace("-", "_"))


class Copy(Fixed):
    """Through a buffer of the CPU, copied before a read and after a write."""

    name = "copy"


class Pte(Fixed):
    """A window of two pages on each CPU: two page-table entries set, flushed on this CPU only."""

    name = "pte"


class PteGlobal(Fixed):
    """The same, flushed on every CPU; what the flush takes from the others is not modelled."""

    name = "pte-global"

    def cost(self, costs: Costs, cpus: int) -> float:
        """See `Mapping`."""
        return super().cost(costs, cpus) + (cpus - 1) * costs.ns("map.pte_global_per_cpu")


class KmapPair(Fixed):
    """Two kmap_atomic, which are adjacent for highmem pages only: on 64-bit it cannot serve an object that spans."""

    name = "kmap-pair"

    def fails(self, no_page: Flags) -> Flags:
        """See `Mapping`."""
        return np.ones(len(no_page), np.bool_)


class Vmap(Fixed):
    """vmap and vunmap each time: allocates, so even a read fails when there is no free page."""

    name = "vmap"

    def fails(self, no_page: Flags) -> Flags:
        """See `Mapping`."""
        return no_page


class MapVmArea(Fixed):
    """An area set aside once, into which the pages are mapped."""

    name = "map-vm-area"


class Contiguous(Mapping):
    """No mapping at all: cannot serve an object that spans; for allocators that have none (order-1 blocks, zbud...)."""

    name = "contiguous"

    def cost(self, costs: Costs, cpus: int) -> float:
        """See `Mapping`."""
        return 0.0

    def fails(self, no_page: Flags) -> Flags:
        """See `Mapping`."""
        return np.ones(len(no_page), np.bool_)
