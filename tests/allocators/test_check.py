"""`check` finds whatever is wrong with the running state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import allocator_kit
import pytest

from allocators import CheckFailed, CompiledAllocator, PageZone
from allocators.compiled import lists

ZSPAGES = {
    "objects of a class": lambda s: bump(s.cls, "inuse", class_of(s)),
    "zspages of a class": lambda s: bump(s.cls, "zspages", class_of(s)),
    "objects of a zspage": lambda s: bump(s.zspage, "inuse", int(s.handle[0].zspage)),
    "group of a zspage": lambda s: bump(s.zspage, "group", int(s.handle[0].zspage)),
    "zspage of a handle": lambda s: bump(s.handle, "zspage", 0),
    "object of a handle": lambda s: bump(s.handle, "object", 0),
    "handle of an object": lambda s: bump(s.object, ..., int(s.handle[0].object)),
    "handle lost": lambda s: bump(s.handles.top, ..., 1),
}
XVMALLOC = {
    "width of a block": lambda s: bump(s.block, "width", 0),
    "offset of a block": lambda s: bump(s.block, "offset", 0),
    "neighbour of a block": lambda s: bump(s.block, "before", int(s.block[0].after)),
    "a free block said to be used": lambda s: bump(s.block, "state", s.block["state"][:60].tolist().index(0)),
    "bitmap": lambda s: bump(s.marks, ..., 0),
    "block lost": lambda s: bump(s.blocks.top, ..., 1),
}
ZBUD = {
    "width of an object": lambda s: bump(s.page, "first", int(s.head[s.head >= 0][0])),
    "too much in a page": lambda s: bump(s.page, "last", 0, by=64),
    "idle pages": lambda s: bump(s.rules, "idle", 0),
    "page lost": lambda s: bump(s.pages.top, ..., 1),
    "age of a page": lambda s: lists.remove(s.age, s.oldest, 0, int(s.oldest[0])),
}
Z3FOLD = {
    "foreign objects": lambda s: bump(s.page, "foreign", 0),
    "list of a page": lambda s: bump(s.page, "key", int(s.head[s.head >= 0][0])),
    "width of an object": lambda s: bump(s.page["chunks"], ..., (int(s.head[s.head >= 0][0]), 1)),
    "place of an object": lambda s: bump(s.handle, "place", 0),
    "page of an object": lambda s: bump(s.handle, "page", 0),
    "handle lost": lambda s: bump(s.handles.top, ..., 1),
    "page lost": lambda s: bump(s.pages.top, ..., 1),
    "age of a page": lambda s: lists.remove(s.age, s.oldest, 0, int(s.oldest[0])),
}
ZBLOCK = {
    "type of a block": lambda s: bump(s.block, "type", 0),
    "slots in use": lambda s: bump(s.block, "used", 0),
    "a slot said to be free": lambda s: bump(s.free, ..., (0, 0)),
    "a slot that there is not": lambda s: bump(s.free, ..., (0, -1), by=1 << 31),
    "blocks of a type": lambda s: bump(s.type, "blocks", 3),
    "objects of a type": lambda s: bump(s.type, "objects", 3),
    "a page held twice": lambda s: bump(s.page, ..., (1, 0)),
    "a list lost": lambda s: bump(s.head, ..., int(s.head.argmax()), by=-1 - int(s.head.max())),
    "block lost": lambda s: bump(s.blocks.top, ..., 1),
}
COALESCE = {
    "start of a fragment": lambda s: bump(s.fragment, "start", 0),
    "width of a fragment": lambda s: bump(s.fragment, "width", 0),
    "neighbour of a fragment": lambda s: bump(s.fragment, "before", int(s.fragment[0].after)),
    "a free run said to be used": lambda s: bump(s.fragment, "state", int(s.tails.head[s.tails.head >= 0][0])),
    "fragment lost": lambda s: bump(s.fragments.top, ..., 1),
}
IDEAL = {
    "bytes": lambda s: bump(s.rules, "total", 0),
    "width of an object": lambda s: bump(s.width, ..., 1),
    "a page held twice": lambda s: bump(s.page, ..., 0),
}
# What every allocator has from its zone.
ZONE = {
    "pages held": lambda s: bump(s.zone.info, "held", 0),
    "pages in all": lambda s: bump(s.zone.info, "pages", 0),
    "order of a free block": lambda s: bump(s.zone.page, "free", int(s.zone.area[s.zone.area >= 0][0])),
}
DAMAGES: dict[str, dict[str, Callable[[Any], None]]] = {
    "zsmalloc": ZSPAGES,
    "order1": ZSPAGES,
    "kmalloc": ZSPAGES,
    "xvmalloc": XVMALLOC,
    "zbud": ZBUD,
    "z3fold": Z3FOLD,
    "zblock": ZBLOCK,
    "coalesce": COALESCE,
    "ideal": IDEAL,
}
CASES = [(label, what) for label, (name, _) in allocator_kit.ALL.items() for what in [*ZONE, *DAMAGES.get(name, {})]]


def bump(array: Any, field: Any, at: Any, by: int = 1) -> None:
    (array if field is ... else array[field])[at] += by


def class_of(state: Any) -> int:
    return int(state.zspage[int(state.handle[0].zspage)].cls)


def used(label: str) -> CompiledAllocator:
    allocator: CompiledAllocator = allocator_kit.make(label)
    handles = [allocator.alloc(size) for size in range(200, 2200, 100) for _ in range(3)]
    for handle in handles[1::5]:
        allocator.free(handle)
    allocator.check()
    return allocator


@pytest.mark.parametrize(("label", "damage"), CASES)
def test_planted_damage_is_found(label: str, damage: str) -> None:
    allocator = used(label)
    (ZONE | DAMAGES.get(allocator.name, {}))[damage](allocator.state)
    with pytest.raises(CheckFailed):
        allocator.check()


def test_the_message_names_the_allocator_and_the_difference() -> None:
    allocator = used("zbud-zcache")
    bump(allocator.state.rules, "idle", 0)
    with pytest.raises(CheckFailed, match=r"^zbud:era=zcache: 1 idle pages, 2 counted$"):
        allocator.check()


def test_damage_of_a_zone() -> None:
    zone = PageZone(64)
    zone.check()
    zone.state.info["taken"] += 3
    with pytest.raises(CheckFailed, match=r"^page allocator: 64 free and 3 held are not 64 pages$"):
        zone.check()
