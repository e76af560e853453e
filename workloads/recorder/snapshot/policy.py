"""Simulated reclaim: which pages a program would have paged out, judged by when their contents changed.

The policy, in full. A page is resident from the snapshot in which it is first seen. While more pages are resident
than the limit allows, the one whose contents have been the same for the longest time is paged out, into the lowest
slot that is free; of pages that changed at the same snapshot, the one of the lower process number, then of the lower
address, goes first. A page found changed while it is out was paged in before the change: its slot is read and freed,
and it is resident and fresh. A page that is gone frees its slot. Reads leave no mark in a snapshot: a page that is
only read stays out.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.int64]
Slots = npt.NDArray[np.int64]
_RESIDENT = -1


@dataclass(frozen=True)
class Observed:
    """What a snapshot shows: the slots that were freed because their pages, `gone`, are; those that were read back, and
    freed, because their pages, `changed`, did; and the pages that must go out now, in this order.
    """

    freed: Slots
    gone: Keys
    read: Slots
    changed: Keys
    victims: Keys


class Reclaim:
    """The state of the policy. Pages go by a key, int64, in whose order ties are broken."""

    def __init__(self, limit_pages: int) -> None:
        """`limit_pages`: how many pages may be resident."""
        self._limit = limit_pages
        self._keys = np.empty(0, np.int64)  # ascending; the other columns go with them
        self._digests = np.empty(0, np.uint64)
        self._since = np.empty(0, np.int64)  # number of the snapshot in which the contents were new
        self._slots = np.empty(0, np.int64)  # or _RESIDENT
        self._snapshot = 0
        self._free: list[int] = []  # a heap of the slots below _next_slot
        self._next_slot = 0

    def observe(self, keys: Keys, digests: npt.NDArray[np.uint64]) -> Observed:
        """Take in a snapshot: all pages there are, `keys` ascending, each with a digest of its contents."""
        here, before = _matches(keys, self._keys)
        gone = np.ones(len(self._keys), np.bool_)
        gone[before] = False
        gone &= self._slots != _RESIDENT
        freed, gone_keys = self._slots[gone], self._keys[gone]

        since = np.full(len(keys), self._snapshot, np.int64)
        slots = np.full(len(keys), _RESIDENT, np.int64)
        same = digests[here] == self._digests[before]
        since[here[same]] = self._since[before[same]]
        slots[here[same]] = self._slots[before[same]]
        back = ~same & (self._slots[before] != _RESIDENT)
        read = self._slots[before[back]]

        self._keys, self._digests, self._since, self._slots = keys, digests.copy(), since, slots
        self._snapshot += 1
        for slot in (*freed.tolist(), *read.tolist()):
            heapq.heappush(self._free, slot)
        return Observed(freed, gone_keys, read, keys[here[back]], self._victims())

    def _victims(self) -> Keys:
        resident = np.flatnonzero(self._slots == _RESIDENT)
        excess = max(0, len(resident) - self._limit)
        oldest = resident[np.argsort(self._since[resident], kind="stable")]
        return self._keys[oldest[:excess]]

    def page_out(self, keys: Keys, digests: npt.NDArray[np.uint64]) -> Slots:
        """Page out resident pages, in this order, with the contents as they are now; return their slots."""
        rows = np.searchsorted(self._keys, keys)
        slots = np.array([self._take_slot() for _ in range(len(keys))], np.int64)
        self._slots[rows] = slots
        self._digests[rows] = digests
        return slots

    def _take_slot(self) -> int:
        if self._free:
            return heapq.heappop(self._free)
        self._next_slot += 1
        return self._next_slot - 1


def _matches(left: Keys, right: Keys) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the rows in either of the keys that are in both; both ascending."""
    place = np.searchsorted(right, left)
    found = place < len(right)
    found[found] = right[place[found]] == left[found]
    return np.flatnonzero(found), place[found]
