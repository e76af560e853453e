"""What every built-in allocator promises, in every era and parameter, for pages of 4, 16 and 64 KiB."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from typing import Any

import allocator_kit
import numpy as np
import pytest

from allocators import AllocatorError, NoMemory, PageZone, Placement, TooLarge, UnknownHandle
from allocators.compiled import dispatch
from sim.plugins import ALLOCATORS

every = pytest.mark.parametrize("label", allocator_kit.ALL)
every_with_pages_of_any_size = pytest.mark.parametrize(
    ("label", "page_size"), [(label, size) for label in allocator_kit.ALL for size in allocator_kit.page_sizes(label)]
)


def fill(allocator: Any, label: str, count: int, seed: int = 0) -> dict[int, int]:
    """Allocate `count` objects that fit; handle -> size."""
    rng = random.Random(seed)
    most = allocator_kit.largest(label, allocator.page_size)
    sizes = {}
    for _ in range(count):
        size = rng.choice((1, most, rng.randint(1, most), rng.randint(1, 200)))
        handle = allocator.alloc(size)
        assert handle not in sizes
        sizes[handle] = size
    return sizes


def ranges(allocator: Any, handles: Any) -> list[tuple[int, int, int]]:
    """(page, from, to) of every part of every object, ascending."""
    parts = [part for handle in handles for part in allocator.placement(handle).parts]
    return sorted((page, offset, offset + length) for page, offset, length in parts)


@every_with_pages_of_any_size
def test_life(label: str, page_size: int) -> None:
    allocator = allocator_kit.make(label, page_size)
    sizes = fill(allocator, label, 1500)  # the arrays have room for 1024 records at first
    allocator.check()
    assert allocator.pages * page_size >= sum(sizes.values())
    assert allocator.stats()["pages"] == allocator.pages
    rng = random.Random(1)
    for handle in rng.sample(sorted(sizes), 1000):
        allocator.free(handle)
        del sizes[handle]
        assert not allocator.holds(handle)
    allocator.check()
    before = allocator.pages
    released = allocator.compact() + allocator_kit.release_idle(allocator)
    assert allocator.pages == before - released
    allocator.check()
    for handle, size in fill(allocator, label, 200, seed=2).items():
        assert handle not in sizes
        sizes[handle] = size
    assert all(allocator.holds(handle) for handle in sizes)
    for handle in sizes:
        allocator.free(handle)
    allocator_kit.release_idle(allocator)
    assert allocator.pages == 0
    allocator.check()


@every_with_pages_of_any_size
def test_placement(label: str, page_size: int) -> None:
    allocator = allocator_kit.make(label, page_size)
    sizes = fill(allocator, label, 300)
    if label == "ideal":
        assert allocator.placement(next(iter(sizes))) is None
        return
    for handle, size in sizes.items():
        assert sum(part[2] for part in allocator.placement(handle).parts) >= size
    placed = ranges(allocator, sizes)
    assert all(0 <= start < end <= page_size for _, start, end in placed)
    assert all(a[0] != b[0] or a[2] <= b[1] for a, b in pairwise(placed))
    assert len({page for page, _, _ in placed}) <= allocator.pages
    spans_pages = [allocator.placement(handle).spans for handle in sizes]
    assert spans_pages == [bool(dispatch.spans(allocator.state, handle)) for handle in sizes]
    several_parts = any(len(allocator.placement(handle).parts) > 1 for handle in sizes)
    if label in allocator_kit.KNOWN:
        assert any(spans_pages) == (allocator.name in ("zsmalloc", "coalesce"))
        assert several_parts == (allocator.name in ("zsmalloc", "coalesce", "order1", "zblock"))


def test_only_pages_known_to_be_adjacent_need_no_mapping() -> None:
    parts = ((4, 4000, 96), (5, 0, 100))
    assert Placement(parts).spans  # adjacent by chance
    assert not Placement(parts, adjacent=True).spans
    assert not Placement(parts[:1]).spans


@every_with_pages_of_any_size
def test_limits(label: str, page_size: int) -> None:
    allocator = allocator_kit.make(label, page_size)
    most = allocator_kit.largest(label, page_size)
    for size in {0, -1, most + 1, page_size + 1}:
        with pytest.raises(TooLarge, match=rf"^{allocator.spec}: no object of {size} bytes$"):
            allocator.alloc(size)
    for size in (1, most):
        assert allocator.holds(allocator.alloc(size))
    allocator.check()


def test_xvmalloc_keeps_the_page_of_a_request_just_too_large() -> None:
    for align, left in ((4, 1), (8, 0)):
        allocator = allocator_kit.make(f"xvmalloc-a{align}")
        with pytest.raises(TooLarge):
            allocator.alloc(4089)
        assert allocator.pages == left
        handle = allocator.alloc(4088)
        assert allocator.pages == 1
        allocator.free(handle)
        assert allocator.pages == 0


@every
def test_zone_runs_out(label: str) -> None:
    zone = PageZone(64)
    allocator = allocator_kit.make(label, zone=zone)
    size = allocator_kit.largest(label)
    handles = [allocator.alloc(size) for _ in range(56 if label == "zblock-v2" else 64)]  # its 8 pages hold 7 of them
    with pytest.raises(NoMemory, match=rf"^{allocator.spec}: no free pages for an object of {size} bytes$"):
        allocator.alloc(size)
    assert (allocator.pages, zone.free_blocks()) == (64, [0] * 11)
    allocator.check()
    allocator.free(handles.pop())
    handles.append(allocator.alloc(size))
    for handle in handles:
        allocator.free(handle)
    allocator_kit.release_idle(allocator)
    assert (allocator.pages, zone.free_blocks()) == (0, [0] * 6 + [1] + [0] * 4)


def test_zspage_that_finds_too_few_pages_gives_back_what_it_took() -> None:
    zone = PageZone(2)
    allocator = allocator_kit.make("zsmalloc-6.12-c8", zone=zone)
    size = next(c.size for c in allocator.classes if c.pages == 7)
    with pytest.raises(NoMemory):
        allocator.alloc(size - 8)
    assert (allocator.pages, zone.free_blocks()) == (0, [0, 1] + [0] * 9)
    allocator.alloc(4096)
    allocator.check()


def test_block_that_finds_too_few_pages_gives_back_what_it_took() -> None:
    for version, size in (("vmalloc", 3000), ("v2", 3632), ("v4", 2040)):  # blocks of 7 and 8 pages
        zone = PageZone(6)
        allocator = allocator_kit.make(f"zblock-{version}", zone=zone)
        with pytest.raises(NoMemory):
            allocator.alloc(size)
        assert (allocator.pages, zone.free_blocks()) == (0, [0, 1, 1] + [0] * 8)
        allocator.alloc(300)
        allocator.check()


def test_a_block_of_zblock_is_adjacent_pages_of_one_order_or_any_pages() -> None:
    zones = [PageZone.fragmented(640, 160, 1) for _ in range(2)]  # single pages only
    v4, vmalloc = (allocator_kit.make(f"zblock-{v}", zone=z) for v, z in zip(("v4", "vmalloc"), zones, strict=True))
    with pytest.raises(NoMemory):
        v4.alloc(1000)
    placement = [vmalloc.placement(vmalloc.alloc(3000)) for _ in range(3)][-1]
    assert len(placement.parts) == 2
    assert placement.parts[0][0] + 1 != placement.parts[1][0]
    assert not placement.spans


@every
def test_unknown_handles(label: str) -> None:
    allocator = allocator_kit.make(label)
    handle = allocator.alloc(100)
    for unknown in (handle + 1, handle + 5000, -1):
        assert not allocator.holds(unknown)
        with pytest.raises(UnknownHandle, match=f"^{allocator.spec}: no object has handle {unknown}$"):
            allocator.free(unknown)
    allocator.free(handle)
    with pytest.raises(UnknownHandle):
        allocator.free(handle)
    allocator.check()


@every
def test_spec(label: str) -> None:
    allocator = allocator_kit.make(label)
    name, config = allocator_kit.ALL[label]
    assert allocator.config == config == json.loads(json.dumps(allocator.config))
    settings = ",".join(f"{key}={value}" for key, value in config.items())
    assert allocator.spec == (f"{name}:{settings}" if settings else name)
    assert ALLOCATORS.find(name)(**allocator.config).spec == allocator.spec


DEFAULTS: list[tuple[str, dict[str, Any]]] = [
    ("zsmalloc", {"era": "6.12", "chain": 8}),
    ("zsmalloc", {"era": 6.12}),
    ("xvmalloc", {"align": 4}),
    ("zbud", {"era": 6.1}),
    ("zblock", {"version": "vmalloc"}),
]


@pytest.mark.parametrize(("name", "config"), DEFAULTS)
def test_a_default_that_is_spelt_out_is_not_in_the_spec(name: str, config: dict[str, Any]) -> None:
    assert ALLOCATORS.find(name)(**config).spec == name


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        (
            "zsmalloc",
            {"era": "5.0"},
            "zsmalloc: era=5.0 is unknown; Linux 4.8 to 6.1 has the rules of era=6.1; give era=6.1",
        ),
        (
            "zsmalloc",
            {"era": "6.1", "chain": 8},
            "zsmalloc: chain=8 needs era=6.12, or era=2022 for the rules of 6.1 with longer chains; "
            "era=6.1 has 4 built in",
        ),
        ("zsmalloc", {"chain": 17}, "zsmalloc: chain=17 is out of range; use 1 to 16"),
        ("xvmalloc", {"align": 16}, "xvmalloc: align=16 is unknown; use 4 or 8"),
        (
            "zbud",
            {"era": "2012"},
            "zbud: era=2012 is unknown; give era=6.1 (Linux 3.11 to 6.14), era=zcache (Linux 3.0 to 3.5)",
        ),
        ("zblock", {"version": "v3"}, "zblock: version=v3 is unknown; use v2, v4, vmalloc"),
        (
            "zblock",
            {"version": "v2", "page_size": 16384},
            "zblock: version=v2 has tables for pages of 4096 bytes, not of 16384",
        ),
        (
            "zblock",
            {"page_size": 65536},
            "zblock: version=vmalloc has tables for pages of 4096 and 16384 bytes, not of 65536",
        ),
        ("ideal", {"page_size": 5000}, "page_size=5000: not a power of two from 4096 to 65536"),
        ("ideal", {"page_size": 2048}, "page_size=2048: not a power of two from 4096 to 65536"),
    ],
)
def test_parameters_that_make_no_sense(name: str, config: dict[str, Any], message: str) -> None:
    with pytest.raises(AllocatorError) as caught:
        ALLOCATORS.find(name)(**config)
    assert str(caught.value) == message


@every_with_pages_of_any_size
def test_what_classes_take_adds_up_to_the_pages(label: str, page_size: int) -> None:
    allocator = allocator_kit.make(label, page_size)
    sizes = fill(allocator, label, 700)
    for handle in list(sizes)[::3]:
        allocator.free(handle)
        del sizes[handle]
    rows = allocator.class_usage(np.array(list(sizes.values())))
    assert bool(rows) == (label.startswith(("zsmalloc", "zblock")) or label in ("order1", "kmalloc"))
    if rows:
        assert sum(row["zspages"] * row["class_pages"] for row in rows) == allocator.pages
        assert sum(row["objects"] for row in rows) == len(sizes)
        assert sum(row["stored"] for row in rows) == sum(sizes.values())
        parts = [row[part] for row in rows for part in ("stored", "rounding", "unused", "tail")]
        assert sum(parts) == allocator.pages * page_size
        assert min(parts) >= 0
