"""zram of 2012: its rules one by one, and beside a slow reference, compiled and plain."""

from __future__ import annotations

import frontend_kit as kit
import pytest
from frontend_kit import PagePer, free, load, out

from allocators import Allocator, NoMemory, PageZone
from sim import Experiment, run
from sim.errors import SpecError
from sim.frontends.compiled import slots
from sim.frontends.zram import Zram
from sim.plugins import FRONTENDS, make_allocator
from workloads.traces.events import IN, OUT

ERA = Zram(era="2012")


def test_what_a_page_becomes() -> None:
    allocator = PagePer()
    steps = [out(0, kit.ZERO), out(1, kit.SAME), out(2, 3072), out(3, 3073), load(3), out(3, 100), free(2), free(0)]
    outcome = kit.run(ERA.device(4, allocator), allocator, steps)
    same, small, whole = slots.SAME, slots.OBJECT, slots.HUGE
    assert outcome["what"].tolist() == [same, small, small, whole, whole, small, small, same]
    assert outcome["pages"].tolist() == [0, 1, 2, 3, 3, 3, 2, 2], "a page kept whole is held, outside the pool"
    assert outcome["bytes"].tolist() == [0, 20, 3092, 7188, 7188, 3192, 120, 120]
    assert allocator.pages == 2


def test_the_old_page_goes_first_and_is_lost_when_there_is_no_memory() -> None:
    allocator = make_allocator("xvmalloc", zone=PageZone(1))
    outcome = kit.run(ERA.device(3, allocator), allocator, [out(0, 3000), out(0, 3000), out(1, 2000), out(0, 3000)])
    assert outcome["what"].tolist() == [slots.OBJECT, slots.OBJECT, slots.REFUSED, slots.OBJECT]
    outcome = kit.run(ERA.device(3, allocator), make_allocator("xvmalloc", zone=PageZone(1)),
                      [out(0, 1000), out(1, 2000), out(0, 2500)])  # fmt: skip
    assert outcome["what"][-1] == slots.REFUSED
    assert outcome["objects"][-1] == 1


class Reference:
    """A dictionary of what slots hold: a handle and bytes, a page outside the pool, a page of zeros, or nothing."""

    def __init__(self, allocator: Allocator) -> None:
        self.allocator = allocator
        self.held: dict[int, tuple[int, int, int]] = {}  # slot: what, handle, bytes

    def drop(self, slot: int) -> int:
        what, handle, _ = self.held.pop(slot, (slots.EMPTY, -1, 0))
        if what == slots.OBJECT:
            self.allocator.free(handle)
        return what

    def out(self, slot: int, size: int) -> int:
        self.drop(slot)
        if size == kit.ZERO:
            self.held[slot] = slots.SAME, -1, 0
        elif size > 3072:
            self.held[slot] = slots.HUGE, -1, 4096
        else:
            size = size or kit.SAME_SIZE
            try:
                self.held[slot] = slots.OBJECT, self.allocator.alloc(size), size
            except NoMemory:
                self.held[slot] = slots.REFUSED, -1, 0
        return self.held[slot][0]

    def step(self, kind: int, slot: int, size: int) -> tuple[int, ...]:
        if kind == OUT:
            done = self.out(slot, size)
        else:
            done = self.held.get(slot, (slots.EMPTY,))[0] if kind == IN else self.drop(slot)
        kinds = [what for what, _, _ in self.held.values()]
        return (
            done,
            self.allocator.pages + kinds.count(slots.HUGE),
            kinds.count(slots.OBJECT) + kinds.count(slots.HUGE),
            sum(size for _, _, size in self.held.values()),
            kinds.count(slots.SAME),
            kinds.count(slots.REFUSED),
        )


@pytest.mark.parametrize("packed", ["xvmalloc", "zsmalloc:era=2012"])
@pytest.mark.parametrize("pages", [None, 30])
def test_equals_the_reference_compiled_and_plain(packed: str, pages: int | None) -> None:
    def fresh() -> Allocator:
        return make_allocator(packed, zone=PageZone() if pages is None else PageZone(pages))

    steps = kit.random_steps(2012, 3000, 150)
    reference = Reference(fresh())
    expected = [reference.step(*step) for step in steps]
    for plain in (False, True):
        allocator = fresh()
        outcome = kit.run(ERA.device(150, allocator), allocator, steps, plain)
        assert [tuple(int(v) for v in row) for row in outcome] == expected
        allocator.check()
    assert any(row[0] == slots.REFUSED for row in expected) == (pages is not None)


def test_in_an_experiment() -> None:
    allocators = ("xvmalloc", "zsmalloc:era=2012")
    result = run(
        Experiment(
            ("uniform:events=2000,slots=300",),
            allocators=allocators,
            compressors=("lzo",),
            frontends=("zram:era=2012",),
        )
    )
    assert (result.density["huge"] > 100).all()
    assert (result.density["refused"] == 0).all()
    assert set(result.counters["counter"]) == {"refusals", "device_reads", "device_writes"}


def test_spec() -> None:
    assert FRONTENDS.make("zram:era=2012").spec == "zram:era=2012"
    with pytest.raises(SpecError, match="mem_limit is not of era=2012"):
        FRONTENDS.make("zram:era=2012,mem_limit=5000")
    with pytest.raises(SpecError, match=r"era=5.4 is unknown; .* is nearest to era=6.18"):
        FRONTENDS.make("zram:era=5.4")
