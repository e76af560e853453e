"""Waits for lines of memory out of the caches: how many, from how large a structure, and when there are none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.plugins import FRONTENDS, make_allocator
from sim.timing import simulate as simulation
from sim.timing.costs import Costs, read_costs
from sim.timing.lines import FOOTPRINTS, FREE, LOAD, SLOT, STORE, Lines
from sim.timing.setting import Setting
from sim.timing.simulate import simulate
from workloads import FREE as FREED
from workloads import IN, OUT, Events, Sizes, Trace

MIB = 1 << 20


def flat(ns: float = 100.0) -> Costs:
    """Any load out of the caches takes as long, and the lines of an object after the first nothing."""
    costs = read_costs()
    for name in FOOTPRINTS:
        costs = costs.with_value(f"memory.{name}", ns)
    return costs.with_value("memory.read_per_kib", 0).with_value("lines.page", 0)


def waits(kinds: list[int], slots: list[int], allocator: str = "zsmalloc", frontend: str = "zram") -> list[float]:
    """The part `memory` of each event, in lines; objects of two size classes in turn."""
    sizes = Sizes.given([700, 1500])
    written = np.cumsum(np.array(kinds) == OUT) - 1
    pages = np.where(np.array(kinds) == OUT, written % 2, -1)
    trace = Trace.from_arrays("lines", Events.of(kinds, slots, pages), None, {"given": sizes})
    setting = Setting(cpus=1, arrivals="saturate")
    timed = simulate(trace, sizes, FRONTENDS.make(frontend), make_allocator(allocator), setting, flat(), events=True)
    return [round(us * 10, 6) for us in timed.events["memory_us"].tolist()]


def test_a_load_takes_as_long_as_its_memory_is_large() -> None:
    costs = read_costs()
    lines = Lines(costs, "zram", make_allocator("zsmalloc"), 1000)
    measured = [costs.ns(f"memory.{name}") for name in FOOTPRINTS]
    assert [lines.miss(size) for size in FOOTPRINTS.values()] == pytest.approx(measured)
    assert lines.miss(1) == measured[0]
    assert lines.miss(1 << 40) == measured[-1]
    assert lines.miss(2 * MIB) == pytest.approx((lines.miss(MIB) + lines.miss(4 * MIB)) / 2), "by the logarithm"


def test_the_way_to_an_object_and_back() -> None:
    # Slot, then handle, descriptor, zspage and object; a slot's line is there for the next three page-outs.
    found = waits([OUT, OUT, IN, IN, FREED], [0, 1, 1, 0, 1])
    first = 1 + 2 + 1 + 1 + 1  # slot, class (two), zspage, descriptor, object
    assert found[:2] == [first, first - 1]
    assert found[2:4] == [5, 5]
    assert found[4] == 1 + 4, "slot, and what must change when the object goes"


def test_what_was_just_read_is_in_the_caches() -> None:
    assert waits([OUT, IN, FREED], [0, 0, 0])[2] == 0


def test_classes_are_met_again_within_a_cluster() -> None:
    found = waits([OUT] * 70, list(range(70)))
    again = [1 + (slot % 4 == 0) for slot in range(70)]  # the object, and every fourth time the slot
    cluster = read_costs().number("reclaim.cluster")
    assert found[2 : cluster - 1] == again[2 : cluster - 1]
    more = np.flatnonzero(np.array(found) - again > 0)
    assert (np.diff(more.reshape(-1, 2)) == 1).all(), "once for each of the two classes"
    assert (np.diff(more[::2])[1:] == cluster).all()


@pytest.mark.parametrize("batch", [1, 7, 50])
def test_waits_do_not_depend_on_how_events_are_cut(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    out = np.arange(90)
    back = np.repeat(rng.permutation(90), 2)  # each read, then freed at once
    kinds, slots = [OUT] * 90 + [IN, FREED] * 90 + [OUT] * 90, [*out.tolist(), *back.tolist(), *out.tolist()]
    whole = waits(kinds, slots)
    monkeypatch.setattr(simulation, "BATCH", batch)
    # The pool's pages, and so the latency of its memory, are those at the end of a batch; here they are all the same.
    assert waits(kinds, slots) == whole


@pytest.mark.parametrize("allocator", ["zbud", "xvmalloc", "kmalloc", "order1", "ideal"])
def test_other_allocators_need_the_object_alone(allocator: str) -> None:
    assert waits([OUT, OUT, IN], [0, 1, 0], allocator)[2] == 2


def test_frontends() -> None:
    assert waits([OUT, OUT, IN], [0, 1, 0], "zbud", "zswap")[2] == 3 + 1, "two nodes of the tree, the entry, the object"
    assert waits([OUT, OUT, IN], [0, 1, 0], "zbud", "raw")[2] == 1


def test_every_line_has_a_count() -> None:
    known: Any = read_costs().entries
    for table in (SLOT, LOAD, STORE, FREE):
        for steps in table.values():
            assert all(known[f"lines.{step.lines}"].unit == "lines" for step in steps)
