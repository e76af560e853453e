"""The closed loop against a brute-force LRU memory that shares the machine with its pool, event by event."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocators import Allocator
from sim.plugins import FRONTENDS, POLICIES, make_allocator
from sim.ram.closed import Capacity, ClosedReplay, closed_replay
from sim.ram.memory import CLUSTER
from sim.replay.replay import replay
from workloads import COMPACT, FREE, GIVEN, IN, LOST, OUT, Events, Sizes, Trace
from workloads.generators.base import churn, with_pages

PAGES = 12  # virtual pages of the program


class Recorded:
    """An LRU memory of `limit` pages under a reference string, and the trace that it leaves."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.memory: OrderedDict[int, None] = OrderedDict()
        self.slot: dict[int, int] = {}  # of the pages that are out
        self.events: list[tuple[int, int, int]] = []
        self.written: list[int] = []  # the virtual page of each unique page
        self.free_slots = list(range(PAGES))

    def touch(self, page: int) -> None:
        if page in self.memory:
            self.memory.move_to_end(page)
            return
        if page in self.slot:
            self.events += [(IN, self.slot[page], -1), (FREE, self.slot[page], -1)]
            self.free_slots.append(self.slot.pop(page))
        self.memory[page] = None
        if len(self.memory) > self.limit:
            victim, _ = self.memory.popitem(last=False)
            self.slot[victim] = self.free_slots.pop(0)
            self.events.append((OUT, self.slot[victim], len(self.written)))
            self.written.append(victim)

    def release(self, page: int) -> None:
        """The program frees a page."""
        self.memory.pop(page, None)
        if page in self.slot:
            self.events.append((FREE, self.slot[page], -1))
            self.free_slots.append(self.slot.pop(page))


class Machine:
    """A program under LRU and its pool in so many pages, by brute force: every page is looked at every time."""

    def __init__(self, limit: int, extra: int, shared: bool, allocator: Allocator, size: Any) -> None:
        self.limit, self.extra, self.shared = limit, extra, shared
        self.allocator, self.size = allocator, size
        self.memory: list[int] = []
        self.handle: dict[int, int] = {}
        self.ins: list[int] = []
        self.outs: list[int] = []

    @property
    def capacity(self) -> int:
        return self.limit + max(0, self.extra - (self.allocator.pages if self.shared else 0))

    def touch(self, page: int) -> None:
        if page in self.memory:
            self.memory.remove(page)
        elif page in self.handle:
            self.ins.append(page)
            self.allocator.free(self.handle.pop(page))
        self.memory.append(page)
        self.settle()

    def settle(self) -> None:
        while len(self.memory) > self.capacity:
            page = self.memory.pop(0)
            self.outs.append(page)
            self.handle[page] = self.allocator.alloc(self.size[page])

    def release(self, page: int) -> None:
        if page in self.memory:
            self.memory.remove(page)
        if page in self.handle:
            self.allocator.free(self.handle.pop(page))
        self.settle()


def trace_of(events: list[tuple[int, int, int]], size: list[int]) -> tuple[Trace, Sizes]:
    kind, slot, page = zip(*events, strict=True)
    sizes = Sizes.given(size)
    return Trace.from_arrays("made", Events.of(kind, slot, page), None, {GIVEN: sizes}), sizes


def begun(trace: Trace, sizes: Sizes, extra: int, shared: bool, batch: int = 7, **given: Any) -> ClosedReplay:
    frontend = FRONTENDS.make(given.get("frontend", "raw"))
    plain = replay(trace, sizes, frontend, make_allocator(given.get("allocator", "zsmalloc")), batch)
    return closed_replay(plain, Capacity(100 + extra, 100, POLICIES.make(given.get("policy", "lru")), shared))


def collected(running: ClosedReplay) -> list[tuple[int, int, int]]:
    return [
        (int(k), int(s), int(p))
        for events, _ in running
        for k, s, p in zip(events.kind, events.slot, events.page, strict=True)
    ]


@given(
    references=st.lists(st.tuples(st.integers(0, PAGES - 1), st.integers(0, 9)), min_size=30, max_size=150),
    limit=st.integers(1, 4),
    extra=st.integers(0, 10),
    shared=st.booleans(),
    size=st.lists(st.integers(32, 2000), min_size=PAGES, max_size=PAGES),
    allocator=st.sampled_from(["zsmalloc", "zsmalloc:chain=4", "zbud", "xvmalloc", "ideal"]),
)
@settings(max_examples=300, deadline=None)
def test_it_is_lru_at_every_event(
    references: list[tuple[int, int]], limit: int, extra: int, shared: bool, size: list[int], allocator: str
) -> None:
    recorded = Recorded(limit)
    machine = Machine(limit, extra, shared, make_allocator(allocator), size)
    after: list[tuple[int, list[int], list[int], int]] = []  # what the machine had done after each recorded event
    for page, what in references:
        for one in (recorded, machine):
            one.release(page) if what == 0 else one.touch(page)
        after.append((len(recorded.events), list(machine.ins), list(machine.outs), machine.allocator.pages))
    if not recorded.events:
        return
    trace, sizes = trace_of(recorded.events, [size[page] for page in recorded.written])
    running = begun(trace, sizes, extra, shared, allocator=allocator)
    done, ins, outs, pages = 0, [], [], 0
    at: dict[int, int] = {}  # which virtual page each slot holds
    states = {}
    for events, outcome in running:
        for i, of in enumerate(running.of.tolist()):
            for passed in range(done, of):
                states[passed + 1] = (list(ins), list(outs), pages)
            done = of
            slot = int(events.slot[i])
            if events.kind[i] == OUT:
                at[slot] = recorded.written[int(events.page[i])]
                outs.append(at[slot])
            elif events.kind[i] == IN:
                ins.append(at[slot])
            pages = int(outcome["pages"][i])
    for passed in range(done, len(recorded.events)):
        states[passed + 1] = (list(ins), list(outs), pages)
    for count, expected_ins, expected_outs, expected_pages in after:
        if count:
            assert states[count] == (expected_ins, expected_outs, expected_pages)


def random_trace(n: int = 4000, slots: int = 300) -> tuple[Trace, Sizes]:
    """Events of all kinds over pages of all sizes, incompressible and same-filled ones too."""
    rng = np.random.default_rng(5)
    sizes = Sizes.given(np.append(rng.integers(1, 4097, 300), [1, 4095, 4096]))
    sizes.same_filled[::20] = True
    sizes.zero_filled[::40] = True
    events = churn(n, slots, rng)
    events.kind[50::97] = COMPACT
    reads = (events.kind == FREE) & (rng.random(len(events)) < 0.5)
    events.kind[reads] = IN
    events.kind[90::331] = LOST
    events.slot[events.kind == COMPACT] = 0
    events.page[events.kind != OUT] = -1
    events = with_pages(events, rng.integers(0, len(sizes), int((events.kind == OUT).sum())))
    return Trace.from_arrays("random", events, None, {GIVEN: sizes}), sizes


@pytest.mark.parametrize(
    "frontend", ["raw", "zram", "zswap:ram_pages=300", "zswap:era=5.4,ram_pages=300", "zcache", "device"]
)
@pytest.mark.parametrize("allocator", ["zsmalloc", "zbud"])
def test_without_more_memory_it_is_the_open_replay(frontend: str, allocator: str) -> None:
    trace, sizes = random_trace()
    plain = replay(trace, sizes, FRONTENDS.make(frontend), make_allocator(allocator))
    ((events, outcome),) = plain
    running = begun(trace, sizes, 0, False, batch=6000, frontend=frontend, allocator=allocator)
    ((happened, closed),) = running
    assert all((happened.columns()[name] == column).all() for name, column in events.columns().items())
    assert (closed == outcome).all()
    assert running.counters() == plain.counters()
    assert running.ram.book[0].outs_avoided == running.ram.book[0].ins_avoided == 0
    running.allocator.check()


@pytest.mark.parametrize("policy", POLICIES.names())
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("extra", [0, 1, 40, 1000])
def test_every_policy_keeps_the_books(policy: str, shared: bool, extra: int) -> None:
    trace, sizes = random_trace()
    running = begun(trace, sizes, extra, shared, batch=50, frontend="zram", policy=policy)
    outs = ins = 0
    for events, outcome in running:
        outs += int((events.kind == OUT).sum())
        ins += int((events.kind == IN).sum())
        assert (np.diff(running.of) >= 0).all()
        book = running.ram.book[0]
        assert book.buffered == (running.ram.page >= 0).sum()
        if not book.over:
            room = extra - (int(outcome["pages"][-1]) if shared else 0)
            assert running.program[-1] - 100 <= max(room, 0) + len(events)
    assert outs + book.outs_avoided + book.buffered == trace.counts["out"]
    assert ins + book.ins_avoided == trace.counts["in"]
    running.allocator.check()
    if not extra:
        assert (outs, ins) == (trace.counts["out"], trace.counts["in"])


@pytest.mark.parametrize("policy", POLICIES.names())
def test_compiled_and_plain_code_agree(policy: str) -> None:
    trace, sizes = random_trace(900)
    compiled = begun(trace, sizes, 60, True, batch=64, frontend="zram", policy=policy)
    running = begun(trace, sizes, 60, True, batch=64, frontend="zram", policy=policy)
    running.allocator.drive = partial(in_python, running.allocator)  # type: ignore[method-assign]
    assert collected(running) == collected(compiled)
    assert running.ram.book == compiled.ram.book


def in_python(allocator: Any, loop: Any, stop: int, *arguments: Any) -> None:
    while loop.py_func(allocator.state, *arguments, 0) < stop:
        allocator.grow()


def test_pages_that_win_nothing_do_not_empty_the_memory() -> None:
    """Each is kept whole in the pool, so that the machine stays as full as before; reclaim gives up for now."""
    n = 201
    sizes = Sizes.given([4096] * n)
    trace = Trace.from_arrays("whole", Events.of([OUT] * n, range(n), range(n)), None, {GIVEN: sizes})
    running = begun(trace, sizes, 200, True, batch=1000, frontend="zram")
    collected(running)
    book = running.ram.book[0]
    assert book.won_nothing == CLUSTER
    assert book.over == 1
    assert book.buffered == n - CLUSTER


def test_more_memory_never_faults_more() -> None:
    """LRU is a stack algorithm."""
    trace, sizes = random_trace()
    faults = []
    for extra in range(0, 300, 30):
        faults.append(sum(kind == IN for kind, _, _ in collected(begun(trace, sizes, extra, False))))
    assert faults == sorted(faults, reverse=True)
    assert faults[-1] < faults[0]
