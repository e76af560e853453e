"""Reclaim of the oldest page, as zswap before 6.5 had its pools do it: by hand, and beside slow references."""

from __future__ import annotations

import allocator_kit
import numpy as np
import pytest
from test_reference import REFERENCES

from allocators import Allocator
from allocators.compiled import dispatch
from allocators.compiled.batch import ALLOC, COMPACT, FREE
from sim.plugins import make_allocator

RECLAIMING = [label for label in allocator_kit.ALL if allocator_kit.make(label).objects_reclaimed]


def test_which_allocators_reclaim() -> None:
    eras = {"zsmalloc-6.2", "zsmalloc-6.3-c8", "zsmalloc-6.6-lpae"}
    assert set(RECLAIMING) == {"zbud-6.1", "z3fold", *eras}
    for label in set(allocator_kit.ALL) - set(RECLAIMING):
        allocator = allocator_kit.make(label)
        handle, pages = allocator.alloc(100), allocator.pages
        assert allocator.reclaim() == []
        assert allocator.pages == pages
        assert allocator.holds(handle)


def test_zbud_gives_up_the_page_that_got_an_object_longest_ago() -> None:
    allocator = make_allocator("zbud")
    first, second = allocator.alloc(3000), allocator.alloc(3100)
    beside = allocator.alloc(800)  # the tightest fit is the second page
    third = allocator.alloc(1000)  # beside the first one, which is the youngest now
    assert allocator.placement(third).parts[0][0] == allocator.placement(first).parts[0][0]
    allocator.free(third)  # a free changes nothing of that
    assert allocator.reclaim() == [second, beside]
    assert allocator.reclaim() == [first]
    assert (allocator.reclaim(), allocator.pages) == ([], 0)
    allocator.check()


def test_z3fold_spares_pages_with_objects_from_others() -> None:
    allocator = make_allocator("z3fold")
    mixed = [allocator.alloc(1800), allocator.alloc(1800)]
    alone = [allocator.alloc(1300), allocator.alloc(2500)]
    younger = allocator.alloc(4096)
    allocator.free(mixed[1])
    allocator.free(alone[1])  # the object left behind moves to the other page, which stays as old as it was
    assert allocator.pages == 2
    assert allocator.reclaim() == [younger]
    assert allocator.reclaim() == []
    allocator.free(alone[0])
    assert allocator.reclaim() == [mixed[0]]
    allocator.check()


def test_zsmalloc_gives_up_a_whole_zspage() -> None:
    allocator = make_allocator("zsmalloc:era=6.2")
    small = [allocator.alloc(100) for _ in range(80)]  # zspages of two pages with 73 objects
    large = allocator.alloc(2000)
    small.append(allocator.alloc(100))
    assert allocator.reclaim() == small[:73]
    assert allocator.reclaim() == [large]
    allocator.free(small[73])
    assert allocator.reclaim() == small[74:]
    assert (allocator.reclaim(), allocator.pages) == ([], 0)
    allocator.check()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("label", RECLAIMING)
def test_the_same_objects_as_the_reference_s(label: str, seed: int) -> None:
    allocator, reference = allocator_kit.make(label), REFERENCES[label](4096)
    rng = np.random.default_rng(seed)
    twin: dict[int, int] = {}  # the handle of the reference's, by ours
    handles: dict[int, int] = {}
    for op, key, size in zip(*(c.tolist() for c in allocator_kit.random_sequence(seed, 700)), strict=True):
        if op == ALLOC:
            other = reference.alloc(size)
            if other is not None:
                handles[key] = allocator.alloc(size)
                twin[handles[key]] = other
        elif op == FREE and handles.get(key) in twin:
            allocator.free(handles[key])
            reference.free(twin.pop(handles[key]))
        elif op == COMPACT:
            allocator.compact()
            reference.compact()
        if rng.random() < 0.05:
            gone = allocator.reclaim()
            assert sorted(twin.pop(handle) for handle in gone) == sorted(reference.reclaim())
            handles = {key: handle for key, handle in handles.items() if handle not in gone}
        assert allocator.pages == reference.pages
    allocator.check()


def test_an_allocator_of_ones_own_may_reclaim() -> None:
    class Shelf(Allocator):
        name = "shelf"
        objects_reclaimed = 1

        def __init__(self) -> None:
            self.held: list[int] = []

        def alloc(self, size: int) -> int:
            self.held.append(size)
            return len(self.held) - 1

        def free(self, handle: int) -> None:
            self.held.pop(handle)

        @property
        def pages(self) -> int:
            return len(self.held)

        def reclaim(self) -> list[int]:
            return [self.held.pop(0)] if self.held else []

    shelf, into = Shelf(), np.zeros(1, np.int64)
    shelf.alloc(7)
    assert (dispatch.reclaim(shelf, into), into[0], dispatch.reclaim(shelf, into)) == (1, 7, 0)
