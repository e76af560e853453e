"""Any order of calls against a dictionary of what is stored: nothing lost, nothing overlaps, every page counted."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import allocator_kit
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from test_reference import REFERENCES

from allocators import NoMemory, PageZone, TooLarge
from allocators.zblock import Zblock
from allocators.zspages.allocator import ZspageAllocator

PAGE = 4096
ZONE_PAGES = 32
EDGES = [0, 1, 31, 32, 33, 63, 64, 65, 2048, 3264, 3265, 3624, 3625, 3840, 3841, 3904, 3905, 3968, 3969]
EDGES += [63, 64, 119, 120, 2039, 2040, 3632, 3633, 4079, 4080, 4088, 4089, 4092, 4093, 4096, 4097]
sizes = st.one_of(st.integers(1, PAGE), st.sampled_from(EDGES), st.integers(1, 8).map(lambda n: 400 * n))


class Machine(RuleBasedStateMachine):
    """An allocator, alone or in a small zone, beside a dictionary handle -> size and, if there is one, a reference."""

    label: str

    @initialize(limited=st.booleans())
    def start(self, limited: bool) -> None:
        self.zone = PageZone(ZONE_PAGES) if limited else PageZone()
        self.limited = limited
        self.allocator = allocator_kit.make(self.label, zone=self.zone)
        self.sizes: dict[int, int] = {}
        # What a refusal for want of pages leaves behind is not in the references, nor is the pages' number limited.
        self.reference: Any = REFERENCES[self.label](PAGE) if self.label in REFERENCES and not limited else None
        self.twins: dict[int, int] = {}

    def pages_needed(self, size: int) -> int:
        if isinstance(self.allocator, Zblock):
            return int(self.allocator.state.type[int(self.allocator.state.type_of[size])].pages)
        if not isinstance(self.allocator, ZspageAllocator):
            return 1
        return int(self.allocator.classes[int(self.allocator.state.class_of[size])].pages)

    @rule(size=sizes)
    def alloc(self, size: int) -> None:
        refused = not 1 <= size <= allocator_kit.largest(self.label)
        twin = None if self.reference is None else self.reference.alloc(size)
        try:
            handle = self.allocator.alloc(size)
        except TooLarge:
            assert refused
            assert twin is None
        except NoMemory:
            assert self.limited
            needed = self.pages_needed(size)
            if self.label in ("zblock-v2", "zblock-v4"):  # adjacent ones
                assert not any(self.zone.free_blocks()[needed.bit_length() - 1 :])
            else:
                assert ZONE_PAGES - self.allocator.pages < needed
        else:
            assert not refused
            assert handle not in self.sizes
            self.sizes[handle] = size
            if twin is not None:
                self.twins[handle] = twin

    @precondition(lambda self: self.sizes)
    @rule(data=st.data())
    def free(self, data: st.DataObject) -> None:
        handle = data.draw(st.sampled_from(sorted(self.sizes)))
        self.allocator.free(handle)
        del self.sizes[handle]
        if self.reference is not None:
            self.reference.free(self.twins.pop(handle))

    @rule()
    def compact(self) -> None:
        before = self.allocator.pages
        assert self.allocator.compact() == before - self.allocator.pages
        if self.reference is not None:
            self.reference.compact()

    @rule()
    def reclaim(self) -> None:
        before = self.allocator.pages
        gone = self.allocator.reclaim()
        assert len(gone) <= self.allocator.objects_reclaimed
        assert (self.allocator.pages < before) == bool(gone)
        if self.reference is not None and self.allocator.objects_reclaimed:
            assert sorted(self.reference.reclaim()) == sorted(self.twins.pop(handle) for handle in gone)
        for handle in gone:
            assert not self.allocator.holds(handle)
            del self.sizes[handle]

    @precondition(lambda self: self.label == "zbud-zcache")
    @rule()
    def release_idle(self) -> None:
        before = self.allocator.pages
        assert allocator_kit.release_idle(self.allocator) == before - self.allocator.pages
        if self.reference is not None:
            self.reference.release_idle()

    @invariant()
    def pages_are_the_reference_s(self) -> None:
        if self.reference is not None:
            assert self.allocator.pages == self.reference.pages

    @invariant()
    def nothing_is_lost(self) -> None:
        self.allocator.check()
        assert all(self.allocator.holds(handle) for handle in self.sizes)
        assert self.allocator.pages * PAGE >= sum(self.sizes.values())

    @invariant()
    def nothing_overlaps(self) -> None:
        if self.label == "ideal":
            return
        placed = []
        for handle, size in self.sizes.items():
            parts = self.allocator.placement(handle).parts
            assert sum(length for _, _, length in parts) >= size
            placed += [(page, offset, offset + length) for page, offset, length in parts]
        placed.sort()
        assert all(0 <= start < end <= PAGE for _, start, end in placed)
        assert all(a[0] != b[0] or a[2] <= b[1] for a, b in pairwise(placed))
        assert len({page for page, _, _ in placed}) <= self.allocator.pages

    def teardown(self) -> None:
        if not hasattr(self, "allocator"):
            return
        for handle in self.sizes:
            self.allocator.free(handle)
        allocator_kit.release_idle(self.allocator)
        while self.label == "xvmalloc-a4" and self.allocator.pages:  # pages that requests just too large left behind
            self.allocator.free(self.allocator.alloc(4088))
        assert self.allocator.pages == 0
        self.allocator.check()
        if self.limited:
            assert self.zone.free_blocks() == PageZone(ZONE_PAGES).free_blocks()


@pytest.mark.parametrize("label", allocator_kit.ALL)
def test_any_order_of_calls(label: str) -> None:
    machine = type("Machine", (Machine,), {"label": label})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=30,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
