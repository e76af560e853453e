"""zswap before 6.5, whose pool reclaims: scenes by hand, and any order of events beside the reference."""

from __future__ import annotations

from typing import Any

import frontend_kit as kit
import pytest
from frontend_kit import free, load, out
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from zswap_reference import POOLED, Reference

from allocators import Allocator
from sim.frontends.compiled import slots
from sim.frontends.compiled.slots import WRITTEN_BACK
from sim.frontends.zswap.eras import ERAS
from sim.frontends.zswap.frontend import Zswap
from sim.plugins import make_allocator

OBJECT, REFUSED = slots.OBJECT, slots.REFUSED
LIMIT = {"max_pool_percent": 10, "ram_pages": 100}  # full at 11 pages; accepts at 8 with a threshold of 90 %
WHOLE = 2500  # of which a page of zbud takes one


def scene(era: str, steps: list[kit.Step], packed: str = "zbud") -> tuple[list[int], Any, Allocator]:
    """What came of each event, the device and the allocator."""
    allocator = make_allocator(packed)
    device = Zswap(era, **LIMIT).device(60, allocator)
    return [int(what) for what in kit.run(device, allocator, steps)["what"]], device, allocator


def where(device: Any, what: int) -> list[int]:
    return [i for i, entry in enumerate(device.slots.slot) if entry.what == what]


def test_54_reclaims_in_the_page_out_but_sees_it_one_page_late() -> None:
    what, device, allocator = scene("5.4", [out(i, WHOLE) for i in range(12)])
    assert what == [OBJECT] * 11 + [REFUSED]  # 11 pages -> 10, of which zswap learns when it next frees or stores
    assert (where(device, WRITTEN_BACK), allocator.pages) == ([0], 10)
    assert list(kit.run(device, allocator, [out(12, WHOLE)])["what"]) == [OBJECT]
    assert (where(device, WRITTEN_BACK), allocator.pages) == ([0, 1], 10)
    stats = Zswap().stats(device)
    assert (stats["pool_limit_hit"], stats["reject_full"], stats["written_back"]) == (2, 1, 2)
    assert list(kit.run(device, allocator, [out(13, WHOLE), out(14, WHOLE)])["what"]) == [OBJECT, REFUSED]


def test_61_reclaims_a_page_for_each_page_out_at_the_limit_and_is_stuck_above_the_threshold() -> None:
    what, device, allocator = scene("6.1", [out(i, WHOLE) for i in range(20)])
    assert what == [OBJECT] * 11 + [REFUSED] * 9
    assert (where(device, WRITTEN_BACK), allocator.pages) == ([0, 1], 9)
    stats = Zswap().stats(device)
    # At 10 pages it is no longer full, nor does it accept: nothing happens until pages are freed.
    assert (stats["pool_limit_hit"], stats["reject_full"], stats["reject_reclaim_fail"]) == (2, 9, 0)
    again = [free(2), out(30, WHOLE), free(3), out(31, WHOLE), out(32, WHOLE), out(33, WHOLE)]
    assert list(kit.run(device, allocator, again)["what"]) == [OBJECT, OBJECT, OBJECT, OBJECT, OBJECT, OBJECT]
    assert Zswap().stats(device)["pool_limit_hit"] == 2


def test_66_goes_on() -> None:
    what, device, _ = scene("6.6", [out(i, WHOLE) for i in range(20)])
    assert what == [OBJECT] * 11 + [REFUSED] + [OBJECT] * 3 + [REFUSED] + [OBJECT] * 3 + [REFUSED]
    assert Zswap().stats(device)["written_back"] == 9


@pytest.mark.parametrize("era", POOLED)
def test_over_zsmalloc_a_full_pool_is_stuck(era: str) -> None:
    what, device, allocator = scene(era, [out(i, 4096) for i in range(20)], "zsmalloc:era=6.1")
    assert what == [OBJECT] * 11 + [REFUSED] * 9
    stats = Zswap().stats(device)
    assert (stats["pool_limit_hit"], stats["reject_reclaim_fail"], stats["written_back"]) == (9, 9, 0)
    # Stored pages that are freed make room at once without a threshold, else when there are 8 left.
    again = [step for i in range(4) for step in (free(i), out(30 + i, 4096))]
    expected = [OBJECT] * 8 if era == "5.4" else [OBJECT, REFUSED] * 2 + [OBJECT] * 4
    assert list(kit.run(device, allocator, again)["what"]) == expected


def test_both_objects_of_a_page_are_written_back_however_young_the_second_is() -> None:
    steps = [out(0, 2400), *(out(i, WHOLE) for i in range(1, 10)), out(20, 1560), out(10, WHOLE), out(11, WHOLE)]
    what, device, _ = scene("6.1", [*steps, load(1), out(12, WHOLE), out(13, WHOLE)])
    # 20 lies beside 0 and makes that page younger than those of 1 to 9; the load of 1 makes nothing younger.
    assert what[-2:] == [REFUSED, REFUSED]
    assert where(device, WRITTEN_BACK) == [1, 2]
    _, device, _ = scene("6.1", [out(0, 1000), out(20, 1000), *(out(i, WHOLE) for i in range(1, 12))])
    assert where(device, WRITTEN_BACK) == [0, 20]


def test_zsmalloc_of_62_gives_up_a_zspage_at_a_time() -> None:
    steps = [*(out(i, 2000) for i in range(30)), *(out(30 + i, 2000) for i in range(4))]
    what, device, allocator = scene("6.1", steps, "zsmalloc:era=6.2")
    cls = next(c for c in allocator.classes if c.size >= 2016)  # with the handle and zswap's header
    assert (cls.pages, cls.objs) == (1, 2)
    assert what == [OBJECT] * 21 + [REFUSED] * 13
    assert where(device, WRITTEN_BACK) == [0, 1, 2, 3]
    assert allocator.pages == 9


@pytest.mark.parametrize(("packed", "largest"), [("zbud", 3960), ("z3fold", 4088), ("zsmalloc", 4096)])
@pytest.mark.parametrize("era", POOLED)
def test_eight_bytes_before_each_object_of_a_pool_that_reclaims(era: str, packed: str, largest: int) -> None:
    what, device, _ = scene(era, [out(0, largest), out(1, largest + 1)], packed)
    assert what == [OBJECT, REFUSED]
    count = "reject_compress_fail" if largest == 4096 else "reject_compress_poor"
    assert Zswap().stats(device)[count] == 1
    assert device.slots.tally[0].bytes == largest
    _, _, allocator = scene(era, [out(i, 1000) for i in range(8)], packed)
    assert allocator.pages == {"zbud": 4, "z3fold": 3, "zsmalloc": 2}[packed]
    _, _, allocator = scene("6.6", [out(0, 3968)], "zbud")
    assert allocator.pages == 1


class Machine(RuleBasedStateMachine):
    """A device beside the reference, each over a pool of its own."""

    era: str
    packed: str

    @initialize(percent=st.integers(1, 100), ram_pages=st.integers(1, 40))
    def start(self, percent: int, ram_pages: int) -> None:
        zswap = Zswap(self.era, percent, ram_pages=ram_pages)
        self.allocator = make_allocator(self.packed)
        self.device = zswap.device(12, self.allocator)
        self.reference = Reference(zswap, make_allocator(self.packed))

    @rule(
        slot=st.integers(0, 11),
        size=st.sampled_from([kit.SAME, kit.ZERO, 1, 700, 1300, 2100, 3000, 3960, 3961, 4088, 4089, 4096, 5000]),
        kind=st.sampled_from([0, 0, 0, 1, 2]),
    )
    def event(self, slot: int, size: int, kind: int) -> None:
        step = [out(slot, size), load(slot), free(slot)][kind]
        row = kit.run(self.device, self.allocator, [step])[0]
        assert tuple(int(value) for value in row) == self.reference.step(*step)

    @invariant()
    def counts_are_the_reference_s(self) -> None:
        assert Zswap().stats(self.device) == self.reference.stats
        self.allocator.check()


@pytest.mark.parametrize("packed", ["zbud", "z3fold", "zsmalloc:era=6.1", "zsmalloc:era=6.2"])
@pytest.mark.parametrize("era", ERAS)
def test_any_order_of_events(era: str, packed: str) -> None:
    machine = type("Machine", (Machine,), {"era": era, "packed": packed})
    quick = settings(
        max_examples=15,
        stateful_step_count=40,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    run_state_machine_as_test(machine, settings=quick)
