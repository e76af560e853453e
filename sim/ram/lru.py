"""Least recently used: the page that the recorded memory gave up first goes out first.

LRU is a stack algorithm (Mattson, Gecsei, Slutz, Traiger 1970): a larger memory holds all that a smaller one holds, and
beyond it the pages that the smaller one evicted last. So if the recorded memory was LRU, this is LRU exactly.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from allocators.compiled import arrays, lists
from allocators.compiled.ids import NIL
from allocators.compiled.jit import compiled
from sim.ram.base import Policy
from sim.ram.dispatch import Rules, register_rules

ENTRY = np.dtype([("next", np.int32), ("prev", np.int32)], align=True)


class LruBuffer(NamedTuple):
    """A buffer."""

    entry: Any  # ENTRY[slots]
    oldest: Any  # int32[1]


@compiled
def enter(buffer: LruBuffer, slot: int, page: int) -> None:
    """It is the youngest."""
    lists.append(buffer.entry, buffer.oldest, 0, slot)


@compiled
def leave(buffer: LruBuffer, slot: int) -> None:
    """Off the list."""
    lists.remove(buffer.entry, buffer.oldest, 0, slot)


@compiled
def victim(buffer: LruBuffer) -> int:
    """The oldest."""
    return int(buffer.oldest[0])


class Lru(Policy):
    """The page that was given up first goes out first."""

    name: ClassVar[str] = "lru"

    def buffer(self, n_slots: int, n_pages: int, capacity: int) -> LruBuffer:
        """See `Policy.buffer`."""
        return LruBuffer(arrays.records(n_slots, ENTRY), np.full(1, NIL, np.int32))


register_rules(LruBuffer, Rules(enter, leave, victim))
