"""The page allocator against a bitmap that knows nothing of lists, and what fragmentation does to whom."""

from __future__ import annotations

import random

import allocator_kit
import numpy as np
import pytest

from allocators import AllocatorError, NoMemory, PageZone
from allocators import zone as rules
from allocators.compiled.ids import NIL
from allocators.zspages.zsmalloc import Zsmalloc


def naive_blocks(free: np.ndarray) -> list[int]:
    """Blocks of each order that a bitmap of free pages consists of, the largest first at each place."""
    counts = [0] * 11
    page = 0
    while page < len(free):
        order = next((k for k in range(10, -1, -1) if page % (1 << k) == 0 and fits(free, page, k)), None)
        if order is not None:
            counts[order] += 1
        page += 1 << (order or 0)
    return counts


def fits(free: np.ndarray, page: int, order: int) -> bool:
    return page + (1 << order) <= len(free) and bool(free[page : page + (1 << order)].all())


@pytest.mark.parametrize("pages", [1, 2, 3, 63, 64, 1000, 1023, 1024, 1025, 3000])
def test_against_a_bitmap(pages: int) -> None:
    rng = random.Random(pages)
    zone = PageZone(pages)
    state = zone.state
    free = np.ones(pages, bool)
    blocks = naive_blocks(free)
    assert zone.free_blocks() == blocks
    held: list[tuple[int, int]] = []
    refused = 0
    for _ in range(400):
        if held and rng.random() < 0.45:
            page, order = held.pop(rng.randrange(len(held)))
            rules.give(state, page, order)
            assert not free[page : page + (1 << order)].any()
            free[page : page + (1 << order)] = True
        else:
            order = rng.choice((0, 0, 0, 1, 1, 2, 3, 5, 9, 10))
            page = int(rules.take(state, order))
            assert (page == NIL) == (sum(blocks[order:]) == 0)
            if page == NIL:
                refused += 1
                continue
            # The smallest block that is large enough is split, none else.
            [split] = [k for k in range(order, 11) if blocks[k]][:1]
            assert page % (1 << split) == 0  # its lower end is handed out
            assert fits(free, page, split)
            free[page : page + (1 << order)] = False
            assert zone.free_blocks()[split] == blocks[split] - 1
            held.append((page, order))
        blocks = naive_blocks(free)
        assert zone.free_blocks() == blocks
    assert refused
    zone.check()
    for page, order in held:
        rules.give(state, page, order)
    assert zone.free_blocks() == naive_blocks(np.ones(pages, bool))
    zone.check()


def test_a_zone_without_limit_grows_by_the_largest_block() -> None:
    zone = PageZone()
    taken = [int(rules.take(zone.state, 0)) for _ in range(1025)]
    assert len(set(taken)) == 1025
    assert int(zone.state.info[0].pages) == 2048
    for page in taken:
        rules.give(zone.state, page, 0)
    assert zone.free_blocks() == [0] * 10 + [2]
    zone.check()


@pytest.mark.parametrize(("pages", "free", "order"), [(1000, 400, 1), (4096, 1000, 3), (8192, 4096, 10), (999, 99, 2)])
@pytest.mark.parametrize("unusable", [0, 0.01, 0.25, 0.9, 1])
def test_a_fragmented_zone_is_as_fragmented_as_asked(pages: int, free: int, order: int, unusable: float) -> None:
    zone = PageZone.fragmented(pages, free, unusable, order=order, seed=pages)
    zone.check()
    count = sum(blocks << k for k, blocks in enumerate(zone.free_blocks()))
    assert count == free
    for k in range(11):  # met to within one block of the order in question
        asked = 1 - (1 - unusable) ** (k / order)
        assert asked - 1e-6 <= zone.unusable_index(k) < asked + (1 << k) / free
    rest = [int(rules.take(zone.state, 0)) for _ in range(count)]
    assert NIL not in rest
    assert rules.take(zone.state, 0) == NIL
    zone.check()


def test_fragmentation_is_scattered_by_the_seed_alone() -> None:
    def free_pages(seed: int) -> list[int]:
        return np.flatnonzero(PageZone.fragmented(1000, 100, 0.5, seed=seed).state.page["free"]).tolist()

    assert free_pages(1) == free_pages(1) != free_pages(2)


def test_a_zone_that_is_not_fragmented_has_the_largest_blocks() -> None:
    assert PageZone.fragmented(4000, 1500, 0).free_blocks() == PageZone(1500).free_blocks()
    assert PageZone.fragmented(4000, 1500, 1).free_blocks() == [1500] + [0] * 10


@pytest.mark.parametrize("free", [1, 2, 3, 100, 1023, 1024, 1025, 5000])
@pytest.mark.parametrize("order", [1, 3, 10])
def test_four_times_the_free_pages_always_suffice(free: int, order: int) -> None:
    for unusable in (0.0001, 0.3, 0.7, 0.9999):
        zone = PageZone.fragmented(4 * free, free, unusable, order=order)
        assert sum(blocks << k for k, blocks in enumerate(zone.free_blocks())) == free


@pytest.mark.parametrize("free", [1, 77, 1024, 3001])
@pytest.mark.parametrize("unusable", [0.1, 0.5, 1])
def test_the_pages_said_to_suffice_do(free: int, unusable: float) -> None:
    with pytest.raises(AllocatorError) as caught:
        PageZone.fragmented(free, free, unusable)
    enough = int(str(caught.value).split()[-2])
    assert PageZone.fragmented(enough, free, unusable).unusable_index(1) >= unusable
    with pytest.raises(AllocatorError, match=f"give at least {enough} pages"):
        PageZone.fragmented(enough - 1, free, unusable)


def test_refusals_of_blocks_follow_the_index_of_their_order() -> None:
    def stored(label: str, order: int) -> int:
        allocator = allocator_kit.make(label, zone=PageZone.fragmented(8192, 2048, 0.5, order=order))
        for count in range(100_000):
            try:
                allocator.alloc(3500)  # v2: 9 in 8 pages; order1: 2 in a pair; zblock: 9 in any 8
            except NoMemory:
                assert allocator.pages <= 2048
                return count
        raise AssertionError("never refused")

    assert [stored("zblock-v2", order) for order in (1, 3)] == [9 * 2048 // 8 // 8, 9 * 2048 // 8 // 2]
    assert [stored("order1", order) for order in (1, 3)] == [2 * 512, 2 * 812]
    assert stored("zblock-vmalloc", 1) == stored("zblock-vmalloc", 3) == 9 * 256
    assert stored("zbud-6.1", 1) == stored("z3fold", 1) == 2048


def test_order_1_fails_where_single_pages_are_plenty() -> None:
    def stored(label: str) -> int:
        zone = PageZone.fragmented(2048, 600, 0.9, seed=3)
        assert zone.free_blocks()[0] == 540
        allocator = allocator_kit.make(label, zone=zone)
        for count in range(10_000):
            try:
                allocator.alloc(1300)
            except NoMemory:
                allocator.check()
                return count
        raise AssertionError("never refused")

    # Of 1300 bytes, a pair holds six objects, and there are 30 pairs; a page of zsmalloc's holds three.
    assert stored("order1") == 6 * 30
    assert stored("zsmalloc-2012") == 3 * 600


@pytest.mark.parametrize("order", [0, 1, 10])
def test_unusable_index(order: int) -> None:
    zone = PageZone(1024 + 8)
    assert zone.unusable_index(order) == {0: 0, 1: 0, 10: 8 / 1032}[order]
    rules.take(zone.state, 0)  # 7 pages left of the 8: 4 + 2 + 1
    assert zone.unusable_index(order) == {0: 0, 1: 1 / 1031, 10: 7 / 1031}[order]


def test_nothing_free_is_wholly_unusable() -> None:
    zone = PageZone(1)
    rules.take(zone.state, 0)
    assert zone.unusable_index(0) == 1


@pytest.mark.parametrize("pages", [0, -5])
def test_a_zone_has_pages(pages: int) -> None:
    with pytest.raises(AllocatorError, match=f"^a zone of {pages} pages: give at least 1$"):
        PageZone(pages)


RANGES = "a fragmented zone: give 0 <= unusable <= 1, 1 <= order <= 10, free <= pages"
FULL = "a zone of 100 pages cannot have 80 free at an index of 1: give at least 160 pages"


@pytest.mark.parametrize(
    ("pages", "free", "unusable", "order", "message"),
    [
        (100, 80, 1, 1, FULL),
        (100, 50, 1.5, 1, RANGES),
        (100, 50, -0.1, 1, RANGES),
        (100, 50, 0.5, 0, RANGES),
        (100, 50, 0.5, 11, RANGES),
        (100, 101, 0.5, 1, RANGES),
        (100, 0, 0.5, 1, RANGES),
    ],
)
def test_a_fragmentation_that_cannot_be(pages: int, free: int, unusable: float, order: int, message: str) -> None:
    with pytest.raises(AllocatorError) as caught:
        PageZone.fragmented(pages, free, unusable, order=order)
    assert str(caught.value) == message


def test_a_zone_serves_one_allocator() -> None:
    zone = PageZone()
    Zsmalloc(zone=zone)
    with pytest.raises(AllocatorError, match="give each allocator its own"):
        Zsmalloc(zone=zone)
