"""The two lists against a slow readable reference, and what they are for: pages used again survive a scan."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from allocators.ideal import Ideal
from sim.frontends.raw import Raw
from sim.plugins import POLICIES
from sim.ram.closed import Capacity, closed_replay
from sim.ram.dispatch import enter, fault, hit, leave, victim
from sim.ram.two_list import CLUSTER
from sim.replay.replay import replay
from workloads import FREE, IN, OUT, Events, Sizes, Trace

SLOTS, PAGES = 200, 60


class Reference:
    """The rules, in lists."""

    def __init__(self, capacity: int) -> None:
        self.inactive: list[tuple[int, int]] = []  # slot and page, oldest first
        self.active: list[tuple[int, int]] = []
        self.known: set[int] = set()  # pages that are active when they come
        self.used: set[int] = set()
        self.gone: dict[int, int] = {}
        self.age, self.capacity = 0, capacity

    def enter(self, slot: int, page: int) -> None:
        (self.active if page in self.known else self.inactive).append((slot, page))
        self.known.discard(page)

    def leave(self, slot: int) -> None:
        self.inactive = [one for one in self.inactive if one[0] != slot]
        self.active = [one for one in self.active if one[0] != slot]

    def activate(self, page: int) -> None:
        self.known.add(page)
        self.age += 1

    def hit(self, slot: int, page: int) -> None:
        if page in self.used or (slot, page) in self.active:
            self.activate(page)
        self.used.add(page)

    def fault(self, page: int) -> None:
        if self.age - self.gone.get(page, 0) <= self.capacity // 2:
            self.activate(page)

    def victim(self) -> int:
        while len(self.active) > len(self.inactive):
            self.inactive += self.active[:CLUSTER]
            self.active = self.active[CLUSTER:]
        slot, page = self.inactive[0]
        self.gone[page] = self.age
        self.used.discard(page)
        self.age += 1
        return slot


@given(
    steps=st.lists(st.tuples(st.integers(0, 5), st.integers(0, SLOTS - 1), st.integers(0, PAGES - 1)), max_size=400),
    capacity=st.integers(0, 200),
)
@settings(max_examples=200, deadline=None)
def test_the_lists_are_those_of_the_reference(steps: list[tuple[int, int, int]], capacity: int) -> None:
    buffer = POLICIES.make("two-list").buffer(SLOTS, PAGES, capacity)
    reference = Reference(capacity)
    held: dict[int, int] = {}
    for what, slot, page in steps:
        if slot not in held:
            if what == 5:
                fault(buffer, slot, page)
                reference.fault(page)
            enter(buffer, slot, page)
            reference.enter(slot, page)
            held[slot] = page
        elif what < 3:
            slot = reference.victim()
            assert victim(buffer) == slot
            leave(buffer, slot)
            reference.leave(slot)
            del held[slot]
        else:
            if what == 4:
                hit(buffer, slot, held[slot])
                reference.hit(slot, held[slot])
            leave(buffer, slot)
            reference.leave(slot)
            del held[slot]


def counted(events: list[tuple[int, int, int]], policy: str, extra: int) -> dict[int, int]:
    """Events that happen, by kind."""
    kind, slot, page = zip(*events, strict=True)
    sizes = Sizes.given([64] * (max(page) + 1))
    trace = Trace.from_arrays("made", Events.of(kind, slot, page), None, {"given": sizes})
    running: Any = closed_replay(replay(trace, sizes, Raw(), Ideal()), Capacity(extra, 0, POLICIES.make(policy)))
    kinds = np.concatenate([batch.kind.copy() for batch, _ in running])
    return {what: int((kinds == what).sum()) for what in (OUT, IN, FREE)}


def test_pages_used_again_survive_a_scan() -> None:
    """250 pages are used again after every 200 that are not, in memory for 400 more: nothing that LRU can keep."""
    events: list[tuple[int, int, int]] = []
    for turn in range(20):
        for slot in range(250):
            events += [(IN, slot, -1), (FREE, slot, -1)] if turn else []
            events.append((OUT, slot, slot))
        events += [(OUT, once, once) for once in range(250 + 200 * turn, 450 + 200 * turn)]
    assert counted(events, "lru", 400)[IN] == 19 * 250
    assert counted(events, "two-list", 400)[IN] < 19 * 250 / 2
