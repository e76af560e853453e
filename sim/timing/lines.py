"""Lines of memory that an operation waits for on its way: from a slot to its object, and to room for a new one.

Each line holds the address of the next, so these loads wait for each other. They come out of the caches only if they
were used just before, and between two page-outs or page-ins a program runs. How many lines each step needs is in
`costs.toml`, [lines], with the place in the kernel's sources; how long one takes, by the size of the memory it is in,
is in [memory]. The sizes of the structures are here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from allocators import Allocator
from sim.timing.costs import Costs

FOOTPRINTS = {
    "miss_64k": 64 << 10,
    "miss_256k": 256 << 10,
    "miss_1m": 1 << 20,
    "miss_4m": 4 << 20,
    "miss_16m": 16 << 20,
    "miss_64m": 64 << 20,
    "miss_256m": 256 << 20,
}
"""Bytes of memory in which a line lies, by the cost ([memory]) of a load from it."""


class Step(NamedTuple):
    """Lines of one kind (a cost of [lines]), and the bytes that the structure takes for each slot and for each page."""

    lines: str
    per_slot: int = 0
    per_page: int = 0


OBJECT = Step("object", per_page=4096)
SLOT = {
    "zram": (Step("zram_slot", per_slot=16),),
    "zswap": (Step("zswap_tree", per_slot=9), Step("zswap_entry", per_slot=64)),
    "zcache": (Step("zcache_tree", per_slot=64),),
}
"""To what a slot holds, by frontend."""
_HANDLE, _DESCRIPTOR, _ZSPAGE = (
    Step("zsmalloc_handle", per_slot=8),
    Step("zsmalloc_descriptor", per_page=64),
    Step("zsmalloc_zspage", per_page=64),
)
LOAD = {"zsmalloc": (_HANDLE, _DESCRIPTOR, _ZSPAGE)}
STORE = {"zsmalloc": (Step("zsmalloc_class"), _ZSPAGE, _DESCRIPTOR)}
FREE = {"zsmalloc": (_HANDLE, _DESCRIPTOR, _ZSPAGE)}
"""To an object, to room for one, and to what must change when it goes, by allocator; others need the object alone."""


class Lines:
    """What the lines cost in one run, ns, by the pages that the pool holds now."""

    def __init__(self, costs: Costs, frontend: str, allocator: Allocator, n_slots: int) -> None:
        self.costs, self.allocator, self.n_slots = costs, allocator, n_slots
        self.sizes = np.log2(list(FOOTPRINTS.values()))
        self.misses = np.array([costs.ns(f"memory.{name}") for name in FOOTPRINTS])
        name = allocator.name
        self._slot = SLOT.get(frontend, ())
        self._load = (*LOAD.get(name, ()), OBJECT)
        self._store = STORE.get(name, ())
        self._free = (*FREE.get(name, ()), OBJECT)

    def miss(self, size: float) -> float:
        """A load from memory of so many bytes, between the measured sizes by the logarithm of the size."""
        return float(np.interp(np.log2(max(size, 1.0)), self.sizes, self.misses))

    def now(self) -> Waits:
        """With the pages that the pool holds now."""
        pages = self.allocator.pages
        page = self.costs.entries["lines.page"].value * self.miss(self.n_slots * self.allocator.page_size)
        steps = (self._slot, self._load, self._store, self._free)
        slot, load, store, free = (self._of(some, pages) for some in steps)
        return Waits(slot, load, store, free, self._of((OBJECT,), pages), page)

    def _of(self, steps: Iterable[Step], pages: int) -> float:
        return sum(
            self.costs.entries[f"lines.{step.lines}"].value
            * self.miss(step.per_slot * self.n_slots + step.per_page * pages)
            for step in steps
        )


class Waits(NamedTuple):
    """Waits for memory, ns."""

    slot: float  # to what a slot holds
    load: float  # from there to an object,
    store: float  # to room for one,
    free: float  # and to all that changes when it goes
    object: float  # to the place of a new object
    page: float  # to a page that is compressed
