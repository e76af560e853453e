from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from allocators import Allocator, PageZone
from allocators.compiled import arrays
from allocators.compiled.jit import plain
from sim.errors import UserError
from sim.frontends.compiled.slots import EMPTY, HUGE, OBJECT, REFUSED, SAME
from sim.plugins import FRONTENDS, make_allocator
from sim.replay.loop import OUTCOME
from sim.replay.loop import replay as loop
from sim.replay.replay import advance, replay
from workloads import COMPACT, FREE, GIVEN, IN, LOST, OUT, Events, Sizes, Trace
from workloads.generators.base import churn, with_pages

ALLOCATORS = (
    "zsmalloc",
    "zsmalloc:era=6.1",
    "zsmalloc:era=2012",
    "xvmalloc",
    "zbud",
    "zbud:era=zcache",
    "z3fold",
    "zblock",
    "zblock:version=v4",
    "order1",
    "kmalloc",
    "coalesce",
    "ideal",
)
NAMES = ("raw", "zram")


@pytest.fixture(scope="module")
def case() -> tuple[Trace, Sizes]:
    """Random events of all kinds: more slots than the arrays of an allocator have room for, pages of all sizes."""
    rng = np.random.default_rng(1)
    sizes = Sizes.given(np.append(rng.integers(1, 4097, 500), [1, 4095, 4096]))
    sizes.same_filled[::20] = True
    sizes.zero_filled[::40] = True
    events = churn(2400, 1500, rng)
    events.kind[-400::100] = COMPACT
    events.slot[-400::100] = 0
    outs = int((events.kind == OUT).sum())
    events.page[events.kind != OUT] = -1
    events = with_pages(events, rng.integers(0, len(sizes), outs))
    return Trace.from_arrays("random", events, None, {GIVEN: sizes}), sizes


def outcomes(trace: Trace, sizes: Sizes, frontend: str, allocator: Allocator, batch: int = 700) -> Any:
    """Of all events; the replay overwrites each batch with the next."""
    parts = replay(trace, sizes, FRONTENDS.make(frontend), allocator, batch)
    return np.concatenate([np.array(outcome) for _, outcome in parts])


def in_python(trace: Trace, sizes: Sizes, frontend: str, allocator: Any) -> Any:
    """The same source, never compiled."""
    device = FRONTENDS.make(frontend).device(trace.n_slots, allocator)
    (events,) = trace.batches()
    outcome = arrays.records(len(events), OUTCOME)
    columns = (events.kind, events.slot, events.page, sizes.size, sizes.same_filled, sizes.zero_filled, outcome, None)
    allocator.drive(plain(loop), len(events), device, *columns)
    return np.array(outcome)


@pytest.mark.parametrize("frontend", NAMES)
@pytest.mark.parametrize("spec", ALLOCATORS)
def test_compiled_equals_plain_python(case: tuple[Trace, Sizes], spec: str, frontend: str) -> None:
    compiled, plain = make_allocator(spec), make_allocator(spec)
    fast = outcomes(*case, frontend, compiled)
    assert fast.tolist() == in_python(*case, frontend, plain).tolist()
    assert fast["objects"].max() > 1100, "the arrays had to grow"
    assert compiled.stats() == plain.stats()
    compiled.check()
    plain.check()


class Wrapped(Allocator):
    """A user's own allocator, which happens to be zbud."""

    name = "wrapped"

    def __init__(self) -> None:
        self.inner = make_allocator("zbud")

    def alloc(self, size: int) -> int:
        return self.inner.alloc(size)

    def free(self, handle: int) -> None:
        self.inner.free(handle)

    @property
    def pages(self) -> int:
        return self.inner.pages


@pytest.mark.parametrize("frontend", NAMES)
def test_a_users_allocator_goes_through_the_same_loop(case: tuple[Trace, Sizes], frontend: str) -> None:
    mine, built_in = (outcomes(*case, frontend, a) for a in (Wrapped(), make_allocator("zbud")))
    assert mine.tolist() == built_in.tolist()
    assert REFUSED in mine["what"], "a refusal is an exception there"


def small(
    kinds: list[int], slots: list[int], pages: list[int], sizes: list[int], same: int = -1
) -> tuple[Trace, Sizes]:
    given = Sizes.given(sizes)
    if same >= 0:
        given.same_filled[same] = True
    return Trace.from_arrays("small", Events.of(kinds, slots, pages), None, {GIVEN: given}), given


def columns(outcome: Any, *names: str) -> Iterator[list[int]]:
    return (outcome[name].tolist() for name in names)


def test_what_an_outcome_holds() -> None:
    kinds = [OUT, OUT, OUT, IN, IN, OUT, FREE, FREE, COMPACT]
    trace, sizes = small(kinds, [0, 1, 2, 1, 3, 0, 2, 2, 0], [0, 1, 2, -1, -1, 1, -1, -1, -1], [100, 9, 4000], same=1)
    outcome = outcomes(trace, sizes, "zram", make_allocator("zsmalloc"))
    what, objects, stored, same, refused = columns(outcome, "what", "objects", "bytes", "same_filled", "refused")
    assert what == [OBJECT, SAME, HUGE, SAME, EMPTY, SAME, HUGE, EMPTY, EMPTY]
    assert objects == [1, 1, 2, 2, 2, 1, 0, 0, 0]
    assert stored == [100, 100, 4196, 4196, 4196, 4096, 0, 0, 0]
    assert same == [0, 1, 1, 1, 1, 2, 2, 2, 2]
    assert refused == [0] * 9
    raw = outcomes(trace, sizes, "raw", make_allocator("zsmalloc"))
    assert raw["what"].tolist() == [OBJECT] * 4 + [EMPTY] + [OBJECT] * 2 + [EMPTY] * 2
    assert raw["bytes"].tolist() == [100, 109, 4109, 4109, 4109, 4018, 18, 18, 18]


def test_a_lost_page_out_leaves_its_slot_empty() -> None:
    trace, sizes = small([OUT, LOST, IN, LOST, OUT], [0, 0, 0, 1, 1], [0, -1, -1, -1, 0], [100])
    for frontend in NAMES:
        what, objects = columns(outcomes(trace, sizes, frontend, make_allocator("zsmalloc")), "what", "objects")
        assert what == [OBJECT, OBJECT, EMPTY, EMPTY, OBJECT], "what was dropped, not what nobody saw"
        assert objects == [1, 0, 0, 0, 1]


def test_an_overwrite_allocates_before_it_frees() -> None:
    trace, sizes = small([OUT, OUT, OUT], [0, 0, 0], [0, 0, 0], [4000])
    outcome = outcomes(trace, sizes, "raw", make_allocator("kmalloc", zone=PageZone(1)))
    what, pages, objects, refused = columns(outcome, "what", "pages", "objects", "refused")
    assert what == [OBJECT, REFUSED, OBJECT], "the only page is still held when the second needs it"
    assert (pages, objects, refused) == ([1, 0, 1], [1, 0, 1], [0, 1, 0])


@pytest.mark.parametrize("frontend", ["raw", "zram", "zswap:era=6.10", "zcache"])
def test_what_is_refused_goes_to_the_device(frontend: str) -> None:
    trace, sizes = small([OUT, OUT, IN, IN, FREE, IN], [0, 1, 0, 1, 1, 1], [0, 0, -1, -1, -1, -1], [3000])
    made = FRONTENDS.make(frontend)
    allocator = make_allocator("kmalloc", zone=PageZone(1))
    device = made.device(trace.n_slots, allocator)
    advance(device, allocator, next(trace.batches()), sizes, arrays.records(6, OUTCOME))
    stats = made.stats(device)
    assert (stats["refusals"], stats["device_writes"], stats["device_reads"]) == (1, 1, 1)


def test_an_overwrite_by_a_same_filled_page_only_frees() -> None:
    trace, sizes = small([OUT, OUT, OUT], [0, 0, 0], [0, 1, 0], [4000, 9], same=1)
    outcome = outcomes(trace, sizes, "zram", make_allocator("kmalloc", zone=PageZone(1)))
    assert outcome["what"].tolist() == [OBJECT, SAME, OBJECT]
    assert outcome["pages"].tolist() == [1, 0, 1]


def test_pages_of_another_size_are_refused() -> None:
    trace, sizes = small([OUT], [0], [0], [100])
    with pytest.raises(UserError, match="small: pages of 4096 bytes"):
        outcomes(trace, sizes, "raw", make_allocator("zsmalloc", page_size=16384))


@pytest.mark.parametrize("event", [0, 3, 699, 700, 1399, 2399])
def test_one_looks_after_the_event_that_was_named(case: tuple[Trace, Sizes], event: int) -> None:
    trace, sizes = case
    allocator, seen = make_allocator("zsmalloc"), list[int]()
    running = replay(trace, sizes, FRONTENDS.make("zram"), allocator, 700)
    running.look_after(event, lambda: seen.append(allocator.pages))
    pages = [page for _, outcome in running for page in outcome["pages"].tolist()]
    assert seen == [pages[event]]
