"""zswap: scenes by hand, a dictionary beside it, compiled against plain Python."""

from __future__ import annotations

from typing import Any

import frontend_kit as kit
import numpy as np
import pytest
from frontend_kit import PagePer, free, load, out
from zswap_reference import KEPT, POOLED, SWAP_CORE, Reference

from allocators import NoMemory
from sim.errors import SpecError
from sim.frontends.compiled import slots
from sim.frontends.compiled.slots import WRITTEN_BACK
from sim.frontends.zswap.eras import ERAS
from sim.frontends.zswap.frontend import Zswap
from sim.frontends.zswap.reclaim import RETRIES
from sim.plugins import FRONTENDS, make_allocator

OLD = [era for era in ERAS if era != "6.18"]


def what(device: Any) -> list[int]:
    return [int(w) for w in device.slots.slot["what"]]


def scene(era: str, steps: list[kit.Step], n_slots: int = 40, **settings: int) -> tuple[Any, Any, PagePer]:
    """Outcomes, device and allocator of a scene with a page for each object."""
    allocator = PagePer()
    device = Zswap(era, **settings).device(n_slots, allocator)
    return kit.run(device, allocator, steps), device, allocator


@pytest.mark.parametrize("era", ERAS)
def test_unlimited(era: str) -> None:
    outcome, device, allocator = scene(era, [out(i) for i in range(30)])
    assert allocator.pages == 30
    assert (outcome["what"] == slots.OBJECT).all()
    assert not any(Zswap().stats(device).values())


def test_bounds_of_the_limit() -> None:
    assert Zswap("6.18", ram_pages=1000).bounds() == (200, 180)
    assert Zswap("6.10", ram_pages=1000).bounds() == (200, 180)
    assert Zswap("6.6", ram_pages=1000).bounds() == (201, 179)
    for era in ("6.1", "6.6", "6.9"):
        assert Zswap(era, 50, 90, ram_pages=19).bounds() == (10, 7)  # 17.1 -> 17, 8.5 -> 8, strictly below
    assert Zswap("5.4", 50, ram_pages=19).bounds() == (10, 9)  # no threshold
    assert Zswap("6.10", 50, 90, ram_pages=19).bounds() == (9, 8)


def test_limit_refuses_and_writes_back_the_oldest_610() -> None:
    """A limit of 10 pages and a threshold of 8: the eleventh page-out is refused and wakes the worker."""
    outcome, device, allocator = scene("6.10", [out(i) for i in range(11)], max_pool_percent=10, ram_pages=100,
                                       accept_threshold_percent=80)  # fmt: skip
    assert list(outcome["what"]) == [slots.OBJECT] * 10 + [slots.REFUSED]
    assert what(device)[:11] == [WRITTEN_BACK] * 2 + [slots.OBJECT] * 8 + [slots.REFUSED]
    assert (outcome["pages"][-1], outcome["objects"][-1], outcome["refused"][-1]) == (8, 8, 1)
    stats = Zswap().stats(device)
    assert (stats["pool_limit_hit"], stats["reject_full"], stats["written_back"]) == (1, 1, 2)
    again = kit.run(device, allocator, [out(11), load(0), load(10), load(1), free(0), out(1)])
    assert list(again["what"]) == [
        slots.OBJECT, WRITTEN_BACK, slots.REFUSED, WRITTEN_BACK, WRITTEN_BACK, slots.OBJECT
    ]  # fmt: skip
    assert Zswap().stats(device)["device_reads"] == 3
    assert again["refused"][-1] == 1


def test_limit_66_is_one_page_higher_and_its_threshold_one_lower() -> None:
    limits = {"max_pool_percent": 10, "ram_pages": 100, "accept_threshold_percent": 80}
    outcome, device, _ = scene("6.6", [out(i) for i in range(12)], **limits)
    assert list(outcome["what"]) == [slots.OBJECT] * 11 + [slots.REFUSED]
    assert outcome["pages"][-1] == 7
    assert what(device)[:4] == [WRITTEN_BACK] * 4


def test_hysteresis_while_nothing_can_be_written_back() -> None:
    """Spared entries keep the pool above the threshold: it refuses although it is below the limit."""
    limits = {"max_pool_percent": 10, "ram_pages": 1000, "accept_threshold_percent": 50}
    steps = [out(i) for i in range(101)] + [free(0), out(101)]
    outcome, device, allocator = scene("6.18", steps, n_slots=200, **limits)
    assert outcome["what"][100] == slots.REFUSED
    assert outcome["what"][-1] == slots.REFUSED
    assert allocator.pages == 99
    stats = Zswap().stats(device)
    assert (stats["pool_limit_hit"], stats["reject_full"], stats["spared"]) == (1, 2, 2 * RETRIES)
    kit.run(device, allocator, [free(i) for i in range(1, 50)])
    assert allocator.pages == 50
    assert kit.run(device, allocator, [out(150)])["what"][0] == slots.OBJECT


def test_second_chance() -> None:
    """With all of 10 entries fresh the worker goes round once, and then takes the oldest."""
    outcome, device, _ = scene("6.18", [out(i) for i in range(11)], max_pool_percent=10, ram_pages=100,
                               accept_threshold_percent=80)  # fmt: skip
    assert outcome["what"][-1] == slots.REFUSED
    assert what(device)[:3] == [WRITTEN_BACK, WRITTEN_BACK, slots.OBJECT]
    assert Zswap().stats(device)["spared"] == 10


def test_loads_by_era() -> None:
    steps = [out(0), out(1), load(0), load(0)]
    for era in KEPT:
        outcome, _, allocator = scene(era, steps)
        assert list(outcome["what"]) == [slots.OBJECT] * 4
        assert allocator.pages == 2
    for era in set(ERAS) - set(KEPT):
        outcome, device, allocator = scene(era, steps)
        assert list(outcome["what"]) == [slots.OBJECT] * 3 + [slots.EMPTY]
        assert (allocator.pages, what(device)[0]) == (1, slots.EMPTY)


def test_a_load_makes_an_entry_the_youngest_66() -> None:
    steps = [out(i) for i in range(10)] + [load(0), out(10), out(11)]
    _, device, _ = scene("6.6", steps, max_pool_percent=10, ram_pages=100)
    assert what(device)[:4] == [slots.OBJECT] + [WRITTEN_BACK] * 3


@pytest.mark.parametrize("era", OLD)
def test_incompressible_pages_go_to_the_device_in_old_eras(era: str) -> None:
    outcome, device, _ = scene(era, [out(0, 4096), out(1, 4097), load(1)])
    assert list(outcome["what"]) == [slots.OBJECT, slots.REFUSED, slots.REFUSED]
    assert Zswap().stats(device)["reject_compress_fail"] == 1
    small = PagePer(largest=3968)
    device = Zswap(era).device(2, small)
    assert list(kit.run(device, small, [out(0, 3968), out(1, 3969)])["what"]) == [slots.OBJECT, slots.REFUSED]


def test_incompressible_pages_are_stored_whole_618() -> None:
    outcome, _, _ = scene("6.18", [out(0, 4095), out(1, 4096), out(2, 5000)])
    assert list(outcome["what"]) == [slots.OBJECT, slots.HUGE, slots.HUGE]
    assert outcome["bytes"][-1] == 4095 + 2 * 4096
    assert list(scene("6.18", [out(0, 5000), load(0), load(0)])[0]["what"]) == [slots.HUGE, slots.HUGE, slots.EMPTY]


@pytest.mark.parametrize("era", ERAS)
def test_same_filled(era: str) -> None:
    """No object for zeros in any era; refused by a full pool unless swap core keeps them. Other words: until 6.12."""
    steps = [out(i) for i in range(20)] + [out(30, kit.ZERO), load(30), load(30)]
    outcome, device, _ = scene(era, steps)
    gone = slots.EMPTY if era in ("6.9", "6.10") else slots.SAME
    assert list(outcome["what"][-3:]) == [slots.SAME, slots.SAME, gone]
    outcome, _, _ = scene(era, [out(0, kit.SAME)])
    assert outcome["what"][0] == (slots.OBJECT if era in SWAP_CORE else slots.SAME)
    outcome, device, allocator = scene(era, steps[:20], max_pool_percent=20, ram_pages=90)
    device.state[0].reached_full = 1
    device.rules[0].full_from = 20  # 5.4 has no other bound
    device.rules[0].accept_to = 0
    after = kit.run(device, allocator, [out(30, kit.ZERO)])
    assert after["what"][0] == (slots.SAME if era in SWAP_CORE else slots.REFUSED)


@pytest.mark.parametrize(("era", "most"), [(era, 10 if era in KEPT else 11) for era in ERAS])
def test_order_of_free_and_alloc(era: str, most: int) -> None:
    class Watched(PagePer):
        most = 0

        def alloc(self, size: int) -> int:
            handle = super().alloc(size)
            self.most = max(self.most, self.pages)
            return handle

    allocator = Watched()
    kit.run(Zswap(era).device(10, allocator), allocator, [out(i) for i in range(10)] + [out(3)])
    assert (allocator.pages, allocator.most) == (10, most)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("packed", ["zsmalloc", "zsmalloc:era=6.2", "zbud", "z3fold"])
@pytest.mark.parametrize("ram_pages", [0, 120, 200])
def test_equals_the_reference_compiled_and_plain(era: str, packed: str, ram_pages: int) -> None:
    zswap = Zswap(era, ram_pages=ram_pages, **({} if era == "5.4" else {"accept_threshold_percent": 80}))
    steps = kit.random_steps(ram_pages + [*ERAS].index(era), 2000, 150)
    reference = Reference(zswap, make_allocator(packed))
    expected = [reference.step(*step) for step in steps]
    for plain in (False, True):
        allocator = make_allocator(packed)
        device = zswap.device(150, allocator)
        outcome = kit.run(device, allocator, steps, plain)
        assert [tuple(int(v) for v in row) for row in outcome] == expected
        assert Zswap().stats(device) == reference.stats
        allocator.check()
    assert bool(ram_pages) == bool(reference.stats["reject_full"])
    stuck = era in POOLED and packed == "zsmalloc"
    assert bool(reference.stats["written_back"]) == (bool(ram_pages) and not stuck)


def test_no_memory_is_refused() -> None:
    class Full(PagePer):
        def alloc(self, size: int) -> int:
            raise NoMemory("none")

    allocator = Full()
    device = Zswap().device(1, allocator)
    assert kit.run(device, allocator, [out(0)])["what"][0] == slots.REFUSED
    assert Zswap().stats(device)["reject_alloc_fail"] == 1


def test_spec() -> None:
    assert FRONTENDS.make("zswap").spec == "zswap"
    spec = "zswap:era=6.10,max_pool_percent=30,accept_threshold_percent=80,ram_pages=1000"
    assert FRONTENDS.make(spec).spec == spec
    assert np.array_equal(Zswap(ram_pages=10).bounds(), (2, 1))


@pytest.mark.parametrize(
    "spec",
    [
        "zswap:era=5.5",
        "zswap:accept_threshold_percent=80,era=5.4",
        "zswap:max_pool_percent=0",
        "zswap:accept_threshold_percent=101",
        "zswap:ram_pages=-1",
    ],
)
def test_wrong_settings(spec: str) -> None:
    with pytest.raises(SpecError, match=spec.split("=")[0].split(":")[1]):
        FRONTENDS.make(spec)
