"""Pages of a program, named by any 64 bits, numbered 0, 1, 2, ... as they appear for the first time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from allocators.compiled.borrow import borrow
from allocators.compiled.ids import NIL
from allocators.compiled.jit import entry

Names = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int32]

ROOM = 1 << 16  # places to begin with, a power of 2
FULLEST = 3, 4  # of so many places so many are used at most
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio: Knuth, TAOCP 3, 6.4


class Table(NamedTuple):
    """Open addressing with linear probing."""

    name: Any  # uint64[places]
    number: Any  # int32[places], NIL where nothing is
    count: Any  # int64[1]


@entry
def number_all(table: Table, names: Any, homes: Any, add: bool, out: Any, start: int) -> int:
    """Look names up from `start` on, whose search begins at `homes`; where it stopped for want of room.

    A name that is not there is added, or is NIL in `out` int32[n].
    """
    table, names, homes, out = borrow(table), borrow(names), borrow(homes), borrow(out)
    last, most = len(table.number) - 1, len(table.number) // FULLEST[1] * FULLEST[0]
    for i in range(start, len(names)):
        if i > start and names[i] == names[i - 1]:
            out[i] = out[i - 1]
            continue
        place = homes[i]
        while table.number[place] != NIL and table.name[place] != names[i]:
            place = (place + 1) & last
        if table.number[place] == NIL and add:
            if table.count[0] == most:
                return i
            table.name[place] = names[i]
            table.number[place] = table.count[0]
            table.count[0] += 1
        out[i] = table.number[place]
    return len(names)


class Numbering:
    """The numbers of names, in 16 to 32 bytes for each."""

    def __init__(self) -> None:
        self._table = _table(ROOM)

    def __len__(self) -> int:
        return int(self._table.count[0])

    def add(self, names: Names) -> Numbers:
        """Return the numbers of names, int32[n]; those that are new get the next ones."""
        out, done = np.empty(len(names), np.int32), 0
        while True:
            done = number_all(self._table, names, self._homes(names), True, out, done)
            if done == len(names):
                return out
            self._grow()

    def find(self, names: Names) -> Numbers:
        """Return the numbers of names, int32[n], -1 for unknown ones."""
        out = np.empty(len(names), np.int32)
        number_all(self._table, names, self._homes(names), False, out, 0)
        return out

    def _homes(self, names: Names) -> npt.NDArray[np.int64]:
        bits = len(self._table.number).bit_length() - 1
        return ((names * MULTIPLIER) >> np.uint64(64 - bits)).astype(np.int64)

    def _grow(self) -> None:
        old = self._table
        used = old.number != NIL
        names = np.empty(len(self), np.uint64)
        names[old.number[used]] = old.name[used]
        self._table = _table(2 * len(old.number))
        for start in range(0, len(names), ROOM):  # in the order of their numbers, which they get again
            self.add(names[start : start + ROOM])


def _table(places: int) -> Table:
    return Table(np.zeros(places, np.uint64), np.full(places, NIL, np.int32), np.zeros(1, np.int64))
