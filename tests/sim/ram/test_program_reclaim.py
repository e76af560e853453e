"""Reclaim against a program, its memory and its swap device in plain dicts and lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reclaim_kit import Event, Lru

from sim.errors import UserError
from sim.plugins import FRONTENDS, POLICIES, make_allocator
from sim.ram import reclaim as module
from sim.ram.closed import Capacity, closed_replay
from sim.ram.clusters import CACHED
from sim.ram.numbers import Numbering
from sim.ram.program import MADE, MOST_MADE, new_program, run
from sim.ram.reclaim import Reclaim, pages_of
from sim.replay.replay import replay
from workloads import COMPACT, FREE, GIVEN, IN, OUT, Events, Sizes, Trace
from workloads.readers.base import Batch

HIGH = 0xFFFF_8000_0000_0000  # where the kernel's own half of the address space begins
Uses = list[tuple[int, int]]  # kind, page

USES = st.lists(st.tuples(st.sampled_from([IN, IN, IN, OUT, OUT, FREE]), st.integers(0, 14)), min_size=20, max_size=150)


def batches(uses: Uses, cuts: tuple[int, ...] = ()) -> Iterator[Batch]:
    """The uses, at times that are their numbers."""
    kind, page = np.array(uses, np.int64).reshape(-1, 2).T
    time_ns, task = np.arange(len(uses)), (7 * page).astype(np.int32)
    ends = [*sorted(min(cut, len(uses)) for cut in cuts), len(uses)]
    for start, end in zip([0, *ends], ends, strict=False):
        part = slice(start, end)
        slot = page[part].astype(np.uint64) + np.uint64(HIGH)
        yield Batch(kind[part].astype(np.uint8), slot, time_ns[part], task[part])


def reclaimed(reclaim: Reclaim, uses: Uses, cuts: tuple[int, ...] = ()) -> tuple[list[Event], dict[str, Any]]:
    facts: dict[str, Any] = {}
    made = list(reclaim.through(batches(uses, cuts), facts, pages_of(batches(uses))))
    events = [
        (int(k), int(s), int(t)) for batch in made for k, s, t in zip(batch.kind, batch.slot, times(batch), strict=True)
    ]
    return events, facts["reclaim"]


def times(batch: Batch) -> npt.NDArray[np.int64]:
    assert batch.time_ns is not None
    return batch.time_ns


def distinct(uses: Uses) -> int:
    return len({page for kind, page in uses if kind != FREE})


@given(
    uses=USES,
    ram=st.integers(1, 8),
    cache=st.booleans(),
    spare=st.sampled_from([None, 1, 4, 600]),
    cuts=st.tuples(st.integers(0, 150), st.integers(0, 150)),
)
@settings(max_examples=150, deadline=None)
def test_it_is_lru_event_by_event(uses: Uses, ram: int, cache: bool, spare: int | None, cuts: tuple[int, int]) -> None:
    n = distinct(uses)
    if n <= ram:
        return
    slots = None if spare is None else n + spare
    oracle = Lru(ram, 512 if slots is None else slots, cache)
    for kind, page in uses:
        oracle.step(kind, page)
    events, facts = reclaimed(Reclaim(ram, "lru", cache, slots), uses, cuts)
    assert events == oracle.events
    counted = {
        "references": sum(kind != FREE for kind, _ in uses),
        "distinct pages": n,
        "faults": oracle.faults,
        "dropped clean": oracle.clean,
        "dropped file pages": oracle.files,
    }
    assert counted.items() <= facts.items()


@pytest.mark.parametrize("policy", POLICIES.names())
@pytest.mark.parametrize("cache", [False, True])
@pytest.mark.parametrize("slots", [70, 512])
def test_every_policy_keeps_the_books(policy: str, cache: bool, slots: int) -> None:
    rng = np.random.default_rng(7)
    kinds, pages = rng.choice([IN, IN, OUT, OUT, FREE], 1500), np.minimum(rng.zipf(1.3, 1500) - 1, 59)
    program = new_program(POLICIES.make(policy), 60, 20, slots, cache)
    made, book = np.zeros(2 * MOST_MADE, MADE).view(np.recarray), program.book[0]
    content: dict[int, int] = {}  # of slots in use: the page last written there
    there: set[int] = set()
    for kind, page in zip(kinds.astype(np.uint8), pages.astype(np.int32), strict=True):
        before = there
        book.next = book.made = 0
        run(program, np.array([kind]), np.array([page]), made)
        there = set(np.flatnonzero(program.page.resident))
        for event in made[: book.made]:
            if event.kind == OUT:
                (content[event.slot],) = before - there
            elif event.kind == IN:
                assert content[event.slot] == page
            else:
                del content[event.slot]
        assert book.resident == len(there) <= 20
        assert (page in there) == (kind != FREE)
        assert {int(slot): int(p) for p, slot in enumerate(program.page.slot) if slot >= 0} == content
        assert program.device.state[0].used == len(content)
        cached = {slot for slot, p in content.items() if p in there}
        assert set(np.flatnonzero(program.device.slot == CACHED)) == cached
        assert cache or not cached
    assert book.outs > 50


@pytest.mark.parametrize("policy", POLICIES.names())
def test_neither_batches_nor_compiled_code_matter(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    uses = list(zip(rng.choice([IN, OUT, FREE], 3000, p=[0.6, 0.35, 0.05]), rng.integers(0, 50, 3000), strict=True))
    whole = reclaimed(Reclaim(20, policy), uses)
    assert reclaimed(Reclaim(20, policy), uses, tuple(range(0, 3000, 7))) == whole
    monkeypatch.setattr(module, "ROOM", 1)
    assert reclaimed(Reclaim(20, policy), uses, (1000,)) == whole
    monkeypatch.setattr(module, "run", getattr(run, "py_func", run))
    assert reclaimed(Reclaim(20, policy), uses) == whole


def test_more_memory_never_faults_more() -> None:
    """LRU is a stack algorithm."""
    rng = np.random.default_rng(2)
    uses = list(zip(rng.choice([IN, OUT], 5000), np.minimum(rng.zipf(1.2, 5000), 200), strict=True))
    faults = [reclaimed(Reclaim(ram), uses)[1]["faults"] for ram in range(1, 190, 20)]
    assert faults == sorted(faults, reverse=True)
    assert faults[-1] < faults[0]


@pytest.mark.parametrize("more", [1, 7, 30])
def test_the_closed_loop_tells_larger_memories_from_a_smaller_one(more: int) -> None:
    """To a page: at a fault one goes out before the other comes in, so that for a moment there is room for one less."""
    rng = np.random.default_rng(4)
    random = zip(rng.choice([IN, OUT], 3000), np.minimum(rng.zipf(1.2, 3000), 99), strict=True)
    uses = [*((OUT, page) for page in range(100)), *random]
    small, less, exact = (
        [kind_slot[:2] for kind_slot in reclaimed(Reclaim(ram, swap_cache=False), uses)[0]]
        for ram in (20, 19 + more, 20 + more)
    )
    kind, slot = np.array(small).T
    sizes = Sizes.given([2000])
    trace = Trace.from_arrays("small", Events.of(kind, slot, np.where(kind == OUT, 0, -1)), None, {GIVEN: sizes})
    plain = replay(trace, sizes, FRONTENDS.make("raw"), make_allocator("ideal"))
    running = closed_replay(plain, Capacity(20 + more, 20, POLICIES.make("lru")))
    happened = np.concatenate([events.kind for events, _ in running]).tolist()
    for one in (OUT, IN):
        counts = [[kind for kind, _ in events].count(one) for events in (exact, less)]
        assert counts[0] <= happened.count(one) <= counts[1] < 1.2 * counts[0]


@pytest.mark.parametrize(
    ("cache", "expected"),
    [
        (True, [OUT, OUT, IN, IN, IN]),  # both have copies then, so that neither is written again
        (False, [OUT, OUT, IN, FREE, OUT, IN, FREE, OUT, IN, FREE]),
    ],
)
def test_a_page_that_is_only_read_is_written_once(cache: bool, expected: list[int]) -> None:
    uses = [(OUT, 1), (OUT, 2), (IN, 3), (IN, 1), (IN, 2), (IN, 1)]
    events, _ = reclaimed(Reclaim(1, "lru", cache), uses)
    assert [kind for kind, _, _ in events] == expected


def test_a_page_written_again_goes_out_to_its_slot_and_one_that_came_back_for_it_to_another() -> None:
    read_first, _ = reclaimed(Reclaim(1), [(OUT, 1), (IN, 2), (IN, 1), (OUT, 1), (IN, 2)])
    assert read_first == [(OUT, 1, 1), (IN, 1, 2), (OUT, 1, 4)]
    written_first, _ = reclaimed(Reclaim(1), [(OUT, 1), (IN, 2), (OUT, 1), (IN, 2)])
    assert written_first == [(OUT, 1, 1), (IN, 1, 2), (FREE, 1, 2), (OUT, 2, 3)]


def test_pages_that_were_never_written_leave_no_traffic() -> None:
    events, facts = reclaimed(Reclaim(2), [(IN, page) for page in (1, 2, 3, 4, 1, 2)])
    assert (events, facts["dropped file pages"], facts["faults"]) == ([], 4, 6)


def test_a_single_page_is_in_memory_for_good() -> None:
    events, facts = reclaimed(Reclaim(), [(OUT, 5), (IN, 5), (FREE, 5), (OUT, 5)])
    assert (events, facts["ram"], facts["faults"]) == ([], 1, 2)


def test_by_default_half_of_the_pages_fit_and_the_device_is_never_half_full() -> None:
    uses = [(OUT, page) for page in range(700)] + [(IN, page) for page in range(700)]
    events, facts = reclaimed(Reclaim(), uses)
    assert (facts["ram"], facts["slots"], facts["policy"]) == (350, 1536, "lru")
    assert [kind for kind, _, _ in events].count(FREE) == 0


def test_events_have_the_times_and_tasks_of_their_uses() -> None:
    uses = [(OUT, 1), (OUT, 2), (IN, 1)]
    made = list(Reclaim(1).through(batches(uses), {}, pages_of(batches(uses))))
    kind, time_ns, task = (np.concatenate([getattr(b, name) for b in made]) for name in ("kind", "time_ns", "task"))
    assert (kind.tolist(), time_ns.tolist(), task.tolist()) == ([OUT, OUT, IN], [1, 2, 2], [14, 7, 7])


@pytest.mark.parametrize(
    ("reclaim", "told"),
    [
        (Reclaim(0), "give at least 1"),
        (Reclaim(5), "all 5 pages of the program fit into 5 pages of RAM"),
        (Reclaim(2, slots=3), "all 2 slots of swap are in use"),
        (Reclaim(2, slots=1), "give at least 2"),
        (Reclaim(2, "fifo"), "unknown policy"),
    ],
)
def test_what_cannot_be_is_told(reclaim: Reclaim, told: str) -> None:
    with pytest.raises(UserError, match=told):
        reclaimed(reclaim, [(OUT, page) for page in range(5)])


def test_events_of_a_swap_device_are_refused() -> None:
    pages = Numbering()
    pages.add(np.arange(3, dtype=np.uint64))
    slot = np.zeros(1, np.uint64)
    for batch in (
        Batch(np.array([COMPACT], np.uint8), slot),
        Batch(np.zeros(1, np.uint8), slot, size=np.ones(1, np.int32)),
    ):
        with pytest.raises(UserError, match="import it without RAM"):
            list(Reclaim(1).through(iter([batch]), {}, pages))
