"""Objects of several pages: zsmalloc's classes above a page, and what lies in them."""

from __future__ import annotations

from typing import Any

import allocator_kit
import numpy as np
import pytest
from reference.zsmalloc import SizeClass, chain_length
from reference.zsmalloc import Zsmalloc as Reference

from allocators import AllocatorError, NoMemory, PageZone, TooLarge
from allocators.compiled import batch
from allocators.compiled.jit import plain
from allocators.ideal import Ideal
from allocators.zspages.zsmalloc import Zsmalloc

# S. Senozhatsky, 26 November 2024, answering "mTHP-friendly compression in zsmalloc and zram based on multi-pages": of
# the classes with units of 4 pages, class and size as debugfs printed them.
PRINTED = {
    10: "344 9792, 348 10048, 351 10240, 353 10368, 355 10496, 361 10880, 368 11328, 370 11456, 373 11648, 377 11904, "
    "383 12288, 387 12544, 390 12736, 395 13056, 400 13376, 404 13632, 410 14016, 415 14336",
    8: "348 10048, 351 10240, 353 10368, 361 10880, 370 11456, 373 11648, 377 11904, 383 12288, 390 12736, 395 13056, "
    "404 13632, 410 14016, 415 14336, 418 14528, 447 16384",
}


@pytest.mark.parametrize("chain", PRINTED)
def test_classes_are_those_that_were_printed(chain: int) -> None:
    rows = [tuple(map(int, row.split())) for row in PRINTED[chain].split(",")]
    classes = [(c.class_index, c.size) for c in Zsmalloc(unit=4, chain=chain).classes]
    start = classes.index(rows[0])
    assert classes[start : start + len(rows)] == rows
    assert chain == 10 or classes[-1] == rows[-1]


def test_a_unit_of_one_page_changes_nothing() -> None:
    assert Zsmalloc(unit=1).classes == Zsmalloc().classes
    assert [c for c in Zsmalloc(unit=16).classes if c.size <= 4096] == Zsmalloc().classes
    assert Zsmalloc(unit=16).huge_size == Zsmalloc().huge_size


@pytest.mark.parametrize("unit", [2, 4, 8, 16])
def test_huge_is_what_shares_no_zspage(unit: int) -> None:
    allocator = Zsmalloc(unit=unit)
    state = allocator.state
    for size, alone in ((allocator.huge_unit - 1, False), (allocator.huge_unit, True), (unit * 4096, True)):
        assert (state.cls["objs"][state.class_of[size]] == 1) == alone
    assert Ideal(unit=unit).huge_unit == unit * 4096


class UnitReference(Reference):
    """The reference with the classes of the posted patch, from the largest down; zspages of blocks of `unit` pages."""

    def __init__(self, unit: int, chain: int, page_size: int) -> None:
        super().__init__("6.12", chain, page_size)
        self.unit, block = unit, unit * page_size
        above: dict[int, SizeClass] = {}
        previous: SizeClass | None = None
        for size in range(block, page_size, -(block // 256)):
            blocks = chain_length("6.12", size, chain, block)
            shape = (blocks * unit, blocks * block // size)
            if previous is None or (previous.pages, previous.objs) != shape:
                previous = SizeClass(size, *shape)
            above[size] = previous
        self.small, self.above = self.class_at, above
        self.classes = [*dict.fromkeys(above.values()), *self.classes]

    def alloc(self, size: int) -> int | None:
        ours, self.page_size = self.page_size, self.page_size * (self.unit if size > self.page_size else 1)
        self.class_at = self.above if size > ours else self.small
        handle = super().alloc(size)
        self.page_size = ours
        return handle


def sequence(seed: int, unit: int, page_size: int, count: int) -> allocator_kit.Sequence:
    """A random sequence of which some objects have up to `unit` pages."""
    found = allocator_kit.random_sequence(seed, count, page_size=page_size)
    rng = np.random.default_rng(seed)
    size = np.where(rng.random(count) < 0.5, rng.integers(1, unit * page_size + 2, count), found.size)
    edges = rng.choice([page_size, page_size + 1, page_size + 8, unit * page_size], count)
    return found._replace(size=np.where(rng.random(count) < 0.1, edges, size))


@pytest.mark.parametrize("loop", [batch.replay, plain(batch.replay)], ids=["compiled", "plain"])
@pytest.mark.parametrize(("unit", "chain", "page_size"), [(2, 8, 4096), (4, 4, 4096), (16, 8, 4096), (4, 8, 16384)])
def test_pages_are_those_of_a_slow_reference(unit: int, chain: int, page_size: int, loop: Any) -> None:
    operations = sequence(unit + chain, unit, page_size, 800)
    allocator = Zsmalloc(unit=unit, chain=chain, page_size=page_size)
    _, pages = allocator_kit.Run(allocator, operations.objects, loop)(operations)
    reference, handles, expected = UnitReference(unit, chain, page_size), dict[int, int | None](), []
    for op, key, size in zip(*(column.tolist() for column in operations), strict=True):
        if op == batch.ALLOC:
            handles[key] = reference.alloc(size)
        elif op == batch.FREE:
            if (handle := handles.pop(key)) is not None:
                reference.free(handle)
        else:
            reference.compact()
        expected.append(reference.pages)
    assert pages.tolist() == expected
    allocator.check()


@pytest.mark.parametrize("unit", [2, 16])
def test_ideal_fills_pages(unit: int) -> None:
    allocator, rng, held, total = Ideal(unit=unit), np.random.default_rng(unit), list[tuple[int, int]](), 0
    for size in rng.integers(1, unit * 4096 + 1, 3000).tolist():
        if held and rng.random() < 0.45:
            handle, freed = held.pop(int(rng.integers(len(held))))
            allocator.free(handle)
            total -= freed
        held.append((allocator.alloc(size), size))
        total += size
        assert allocator.pages == -(-total // 4096)
    allocator.check()
    with pytest.raises(TooLarge):
        allocator.alloc(unit * 4096 + 1)


def test_a_block_lies_in_adjacent_pages() -> None:
    allocator = Zsmalloc(unit=4)
    handles = [allocator.alloc(9000) for _ in range(20)]
    assert any(found.spans for handle in handles if (found := allocator.placement(handle)))
    for handle in handles:
        found = allocator.placement(handle)
        assert found is not None
        blocks = {page // 4 for page, _, _ in found.parts}
        assert found.spans == (len(blocks) > 1), "a block is mapped as one"


def test_high_orders_fail_where_memory_is_fragmented() -> None:
    zone = PageZone.fragmented(1024, 256, 1.0, order=2)
    allocator = Zsmalloc(unit=4, zone=zone)
    allocator.alloc(4096)
    with pytest.raises(NoMemory):
        allocator.alloc(16384)
    ideal = Ideal(unit=4, zone=PageZone(3))
    with pytest.raises(NoMemory):
        ideal.alloc(16384)
    assert ideal.pages == 0, "no page is kept for what did not fit"
    ideal.check()


@pytest.mark.parametrize(
    ("config", "page_size", "message"),
    [
        ({"unit": 3}, 4096, "zsmalloc: unit=3 is unknown; use 1, 2, 4, 8, 16 pages"),
        ({"unit": 4, "era": "6.1"}, 4096, "zsmalloc: unit=4 needs era=6.12 and bits=64, for which it was posted"),
        ({"unit": 4, "bits": 32}, 4096, "zsmalloc: unit=4 needs era=6.12 and bits=64, for which it was posted"),
        ({"unit": 8}, 16384, "zsmalloc: unit=8 is 131072 bytes; use 65536 at most"),
    ],
)
def test_wrong_units(config: dict[str, Any], page_size: int, message: str) -> None:
    with pytest.raises(AllocatorError) as error:
        Zsmalloc(**config, page_size=page_size)
    assert str(error.value) == message
