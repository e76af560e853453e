"""zcache, persistent side: scenes by hand, a dictionary beside it, compiled against plain Python."""

from __future__ import annotations

from typing import Any

import frontend_kit as kit
import pytest
from frontend_kit import PagePer, free, load, out

from allocators import Allocator, NoMemory, TooLarge
from sim.errors import SpecError
from sim.frontends.compiled import slots
from sim.frontends.zcache import Zcache
from sim.plugins import FRONTENDS, make_allocator
from workloads.traces.events import FREE, IN, OUT


class Sized(PagePer):
    """Notes the sizes asked for; packs four objects to a page."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def alloc(self, size: int) -> int:
        self.sizes.append(size)
        return super().alloc(size)

    @property
    def pages(self) -> int:
        return -(-len(self.live) // 4)


def scene(steps: list[kit.Step], allocator: Allocator, **settings: int) -> tuple[list[int], Any]:
    device = Zcache(**settings).device(50, allocator)
    return list(kit.run(device, allocator, steps)["what"]), device


def test_zsize_limit() -> None:
    what, device = scene([out(0, 3584), out(1, 3585), load(1), load(0), load(0)], Sized())
    assert what == [slots.OBJECT, slots.REFUSED, slots.REFUSED, slots.OBJECT, slots.OBJECT]
    assert (Zcache().stats(device)["compress_poor"], Zcache().stats(device)["device_reads"]) == (1, 1)


def test_mean_zsize_is_of_the_pool() -> None:
    """One object in a page of its own is a mean of 4096; two in one page are 2048."""
    allocator = Sized()
    what, device = scene([out(0, 2561), out(1, 2561), out(1, 2560), out(2, 2561)], allocator)
    assert what == [slots.OBJECT, slots.REFUSED, slots.OBJECT, slots.OBJECT]
    assert Zcache().stats(device)["mean_compress_poor"] == 1
    what, device = scene([out(i) for i in range(9)] + [out(10, 3000)], allocator := PagePer())
    assert what[-1] == slots.REFUSED
    assert allocator.pages == 9


def test_limit_is_of_stored_pages_and_lets_one_more_in() -> None:
    steps = [out(i) for i in range(8)] + [free(0), out(9)]
    what, device = scene(steps, Sized(), ram_pages=8)
    assert what == [slots.OBJECT] * 7 + [slots.REFUSED, slots.OBJECT, slots.OBJECT]
    assert Zcache().stats(device)["limit_reached"] == 1
    assert scene(steps, Sized(), ram_pages=8, page_count_policy_percent=100)[0][7] == slots.OBJECT


def test_an_old_page_goes_first_and_is_not_kept_when_the_new_one_is_refused() -> None:
    allocator = Sized()
    what, _ = scene([out(0), out(0, 4000)], allocator)
    assert what == [slots.OBJECT, slots.REFUSED]
    assert allocator.pages == 0


def test_headers_and_same_filled_pages() -> None:
    allocator = Sized()
    what, _ = scene([out(0, 1000), out(1, kit.SAME)], allocator)
    assert what == [slots.OBJECT] * 2
    assert allocator.sizes == [1056, kit.SAME_SIZE + 56]
    allocator.records_size = True  # type: ignore[misc]
    scene([out(0, 1000)], allocator)
    assert allocator.sizes[-1] == 1040


def test_no_memory() -> None:
    class Full(PagePer):
        def alloc(self, size: int) -> int:
            raise NoMemory("none")

    what, device = scene([out(0)], Full())
    assert what == [slots.REFUSED]
    assert Zcache().stats(device)["failed_alloc"] == 1


class Reference:
    """zcache over a dictionary."""

    def __init__(self, zcache: Zcache, allocator: Allocator) -> None:
        self.most = zcache.ram_pages * zcache.page_count_policy_percent // 100 if zcache.ram_pages else 10**9
        self.header = 40 if allocator.name == "xvmalloc" else 56
        self.allocator = allocator
        self.held: dict[int, tuple[int, int] | None] = {}  # slot: handle and bytes, None when refused
        self.stats = dict.fromkeys(Zcache().stats(zcache.device(1, allocator)), 0)

    @property
    def objects(self) -> list[tuple[int, int]]:
        return [held for held in self.held.values() if held]

    def drop(self, slot: int) -> int:
        if slot not in self.held:
            return slots.EMPTY
        held = self.held.pop(slot)
        if held is None:
            return slots.REFUSED
        self.allocator.free(held[0])
        return slots.OBJECT

    def why_not(self, size: int) -> str:
        count = len(self.objects)
        if count > self.most:
            return "limit_reached"
        if size > 3584:
            return "compress_poor"
        if size > 2560 and count and self.allocator.pages * 4096 // count > 2560:
            return "mean_compress_poor"
        return ""

    def out(self, slot: int, size: int) -> int:
        size = size if size > 0 else kit.SAME_SIZE
        self.drop(slot)
        self.held[slot] = None
        reason = self.why_not(size)
        if not reason:
            try:
                self.held[slot] = self.allocator.alloc(size + self.header), size
                return slots.OBJECT
            except (TooLarge, NoMemory):
                reason = "failed_alloc"
        for count in (reason, "refusals", "device_writes"):
            self.stats[count] += 1
        return slots.REFUSED

    def load(self, slot: int) -> int:
        if slot not in self.held:
            return slots.EMPTY
        self.stats["device_reads"] += self.held[slot] is None
        return slots.OBJECT if self.held[slot] else slots.REFUSED

    def step(self, kind: int, slot: int, size: int) -> tuple[int, ...]:
        done = {OUT: lambda: self.out(slot, size), IN: lambda: self.load(slot), FREE: lambda: self.drop(slot)}[kind]()
        objects = self.objects
        refused = len(self.held) - len(objects)
        return done, self.allocator.pages, len(objects), sum(size for _, size in objects), 0, refused


@pytest.mark.parametrize("packed", ["xvmalloc", "zsmalloc:era=2012"])
@pytest.mark.parametrize("ram_pages", [0, 120])
def test_equals_the_reference_compiled_and_plain(packed: str, ram_pages: int) -> None:
    zcache = Zcache(ram_pages)
    steps = kit.random_steps(ram_pages, 3000, 150)
    reference = Reference(zcache, make_allocator(packed))
    expected = [reference.step(*step) for step in steps]
    for plain in (False, True):
        allocator = make_allocator(packed)
        device = zcache.device(150, allocator)
        outcome = kit.run(device, allocator, steps, plain)
        assert [tuple(int(v) for v in row) for row in outcome] == expected
        assert Zcache().stats(device) == reference.stats
        allocator.check()
    assert bool(ram_pages) == bool(reference.stats["limit_reached"])


def test_spec() -> None:
    for spec in ("zcache", "zcache:ram_pages=1000", "zcache:ram_pages=1000,page_count_policy_percent=50"):
        assert FRONTENDS.make(spec).spec == spec


@pytest.mark.parametrize("setting", ["ram_pages=-1", "page_count_policy_percent=0", "page_count_policy_percent=151"])
def test_wrong_settings(setting: str) -> None:
    with pytest.raises(SpecError, match=setting):
        FRONTENDS.make("zcache:" + setting)
