"""Any page of the buffer goes out next, by chance: what is left of an order after a scan."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from allocators.compiled import arrays
from allocators.compiled.jit import compiled
from sim.ram.base import Policy
from sim.ram.dispatch import Rules, register_rules

STATE = np.dtype([("count", np.int64), ("drawn", np.int64)], align=True)
MULTIPLIER, MODULUS = 48271, (1 << 31) - 1  # Park and Miller, CACM 36(7), 1993: a step fits into int64


class RandomBuffer(NamedTuple):
    """A buffer."""

    slot: Any  # int32[slots]: those in the buffer, in no order
    at: Any  # int32[slots]: where in `slot` each stands
    state: Any  # STATE[1]


@compiled
def enter(buffer: RandomBuffer, slot: int, page: int) -> None:
    """At the end."""
    state = buffer.state[0]
    buffer.slot[state.count] = slot
    buffer.at[slot] = state.count
    state.count += 1


@compiled
def leave(buffer: RandomBuffer, slot: int) -> None:
    """The last one takes its place."""
    state = buffer.state[0]
    state.count -= 1
    last, place = buffer.slot[state.count], buffer.at[slot]
    buffer.slot[place] = last
    buffer.at[last] = place


@compiled
def victim(buffer: RandomBuffer) -> int:
    """Draw one."""
    state = buffer.state[0]
    state.drawn = state.drawn * MULTIPLIER % MODULUS
    return int(buffer.slot[state.drawn % state.count])


class Random(Policy):
    """Any page goes out next; `seed` 0 or more says which."""

    name: ClassVar[str] = "random"

    def __init__(self, seed: int = 0) -> None:
        if seed < 0:
            raise ValueError(f"seed={seed}: give 0 or more")
        self.seed = seed

    def buffer(self, n_slots: int, n_pages: int, capacity: int) -> RandomBuffer:
        """See `Policy.buffer`."""
        state = arrays.records(1, STATE)
        state["drawn"] = self.seed % (MODULUS - 1) + 1
        return RandomBuffer(np.zeros(n_slots, np.int32), np.zeros(n_slots, np.int32), state)


register_rules(RandomBuffer, Rules(enter, leave, victim))
