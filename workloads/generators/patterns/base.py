"""What patterns share: their place in a recipe, and what they make of it."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import numpy.typing as npt
from msgspec import Meta, Struct

from workloads.generators.draws import Draws
from workloads.traces.events import OUT

Weight = Annotated[float, Meta(ge=1e-6, le=1e6)]  # relative to the others'
Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0, le=1e9)]
Count = Annotated[int, Meta(ge=1, le=1 << 27)]


@dataclass(frozen=True, eq=False)
class Steps:
    """What a pattern does, in order: `kind` uint8[n] and `slot` int64[n], from 0, of its own slots.

    `like` int64[n] is the row of an earlier page-out whose page this one writes again, -1 if it has a page of its own;
    `task` int32[n] counts the pattern's own tasks from 0. None: all have pages of their own; tasks share the slots.
    """

    kind: npt.NDArray[np.uint8]
    slot: npt.NDArray[np.int64]
    like: npt.NDArray[np.int64] | None = None
    task: npt.NDArray[np.int32] | None = None

    @classmethod
    def of(cls, n: int, kind: bytearray, slot: array[int]) -> Steps:
        """Return the first n."""
        return cls(np.frombuffer(kind, np.uint8)[:n].copy(), np.frombuffer(slot, np.int64)[:n].copy())

    @property
    def out(self) -> npt.NDArray[np.bool_]:
        """Which rows are page-outs."""
        return np.equal(self.kind, OUT)


class Pattern(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of a recipe's `patterns`; the fields of a subclass are its keys.

    `events` and `slots` are its parts of the recipe's, relative to those of the other patterns; `contents` the contents
    of its pages by name, with relative shares, all of the recipe's alike by default; `duplicates` the share of its
    page-outs that repeat a page written before; `tasks` how many there are; `start` and `end` when, in seconds.
    """

    name: ClassVar[str]
    least: ClassVar[int] = 1  # slots

    events: Weight = 1.0
    slots: Weight = 1.0
    contents: str | dict[str, Weight] = {}
    duplicates: Share = 0.0
    tasks: Annotated[int, Meta(ge=1, le=1 << 16)] = 1
    start: Seconds = 0.0
    end: Seconds | None = None

    def steps(self, n: int, slots: int, draws: Draws) -> Steps:
        """Return n events on slots 0 to `slots` - 1: only slots in use are read or freed."""
        raise NotImplementedError

    @property
    def least_slots(self) -> int:
        """The fewest slots that it can work on."""
        return self.least
