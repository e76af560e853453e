from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from allocators import Allocator, TooLarge
from sim.experiment.inputs import open_input
from sim.plugins import ALLOCATORS, FRONTENDS
from sim.replay.replay import replay
from sim.results.density import DensityMeter
from workloads import FREE, OUT, Trace
from workloads.traces.sizes import GIVEN, Sizes

FILE = Path(__file__).parents[2] / "docs" / "own_allocator.py"
WORKLOAD = "bell:events=3000,slots=400"


@pytest.fixture(scope="module")
def example() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("own_allocator", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del ALLOCATORS._registered["pairs"]


def given(trace: Trace) -> Sizes:
    sizes = trace.sizes(GIVEN)
    assert sizes is not None
    return sizes


def most_pages(trace: Trace, allocator: Allocator) -> int:
    """Most pages ever, with no code of the replay's."""
    size, slots, most = given(trace).size, dict[int, int](), 0
    for events in trace.batches():
        for kind, slot, page in zip(events.kind, events.slot, events.page, strict=True):
            new = allocator.alloc(int(size[page])) if kind == OUT else None
            if kind in (OUT, FREE) and slot in slots:
                allocator.free(slots.pop(slot))
            if new is not None:
                slots[slot] = new
            most = max(most, allocator.pages)
    return most


def test_it_stands_in_the_result_as_the_same_replay_by_hand_has_it(example: ModuleType) -> None:
    density = example.compare(WORKLOAD).density.set_index("allocator")
    assert list(density.index) == ["zsmalloc", "pairs", "ideal"]
    trace, allocator = open_input(WORKLOAD), example.Pairs()
    meter = DensityMeter(trace.n_events, trace.page_size, trace.fullest)
    for events, outcome in replay(trace, given(trace), FRONTENDS.make("zram"), allocator):
        meter.add(events, outcome)
    assert density.loc["pairs"][list(meter.row())].to_dict() == meter.row()
    assert density.loc["pairs", "pages_max"] == most_pages(trace, example.Pairs())


def test_its_rule_is_two_a_page_and_best_fit(example: ModuleType) -> None:
    allocator = example.Pairs()
    large, larger = allocator.alloc(2500), allocator.alloc(3000)
    assert allocator.pages == 2
    allocator.alloc(1096)  # to the byte beside `larger`, though the first page has room as well
    allocator.alloc(1097)
    assert allocator.pages == 2
    allocator.alloc(10)  # a third object needs a page
    assert allocator.pages == 3
    allocator.free(large)
    allocator.free(larger)
    assert allocator.pages == 3
    allocator.alloc(2999)  # fits where 1097 or 1096 is left
    allocator.alloc(3000)
    assert allocator.pages == 3
    with pytest.raises(TooLarge):
        allocator.alloc(4097)
