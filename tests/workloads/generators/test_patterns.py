"""Every pattern: its events are possible, as many as asked for, the same each time; and each does what it is called."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workloads import FREE, IN, OUT
from workloads.generators.draws import Draws
from workloads.generators.patterns import PATTERNS
from workloads.generators.patterns.base import Pattern, Steps
from workloads.generators.patterns.discard import Discard
from workloads.generators.patterns.fork import Fork
from workloads.generators.patterns.growth import Growth
from workloads.generators.patterns.phases import Phases
from workloads.generators.patterns.queues import Fifo, Lifo
from workloads.generators.patterns.scan import Scan
from workloads.generators.patterns.working import Working
from workloads.generators.patterns.zipf import Zipf


def concrete(cls: type[Pattern]) -> set[type[Pattern]]:
    below = {c for sub in cls.__subclasses__() for c in concrete(sub)}
    return below | ({cls} if hasattr(cls, "name") else set())


def made(pattern: Pattern, n: int, slots: int, seed: int = 0) -> Steps:
    return pattern.steps(n, slots, Draws(seed))


def in_use(steps: Steps) -> Iterator[tuple[int, int, list[int]]]:
    """Each event, and the slots in use before it, the one written first first."""
    live: dict[int, None] = {}
    for kind, slot in zip(steps.kind.tolist(), steps.slot.tolist(), strict=True):
        yield kind, slot, list(live)
        if kind != IN:
            live.pop(slot, None)
        if kind == OUT:
            live[slot] = None


def test_every_pattern_is_in_the_table() -> None:
    assert set(PATTERNS.values()) == concrete(Pattern)
    assert all(PATTERNS[name].name == name for name in PATTERNS)


@pytest.mark.parametrize("name", PATTERNS)
@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 400), more=st.integers(0, 40), seed=st.integers(0, 9))
def test_events_are_possible(name: str, n: int, more: int, seed: int) -> None:
    pattern = PATTERNS[name]()
    slots = pattern.least_slots + more
    steps = made(pattern, n, slots, seed)
    assert len(steps.kind) == len(steps.slot) == n
    assert 0 <= steps.slot.min() <= steps.slot.max() < slots
    assert all(kind == OUT or slot in live for kind, slot, live in in_use(steps))
    again = made(pattern, n, slots, seed)
    assert np.array_equal(steps.kind, again.kind)
    assert np.array_equal(steps.slot, again.slot)
    if steps.like is not None:
        repeats = np.flatnonzero(steps.like >= 0)
        assert (steps.like[repeats] < repeats).all()
        assert (steps.kind[steps.like[repeats]] == OUT).all()
        assert (steps.kind[repeats] == OUT).all()


@pytest.mark.parametrize(("pattern", "newest"), [(Lifo(burst=5), True), (Fifo(burst=5), False)])
def test_queues_free_in_their_order(pattern: Lifo, newest: bool) -> None:
    steps = made(pattern, 3_000, 20)
    freed = [(slot, live) for kind, slot, live in in_use(steps) if kind == FREE]
    assert len(freed) > 500
    assert all(slot == live[-1 if newest else 0] for slot, live in freed)
    read = (steps.kind == IN).sum() / (steps.kind == FREE).sum()
    assert read == pytest.approx(pattern.read, abs=0.05)


@pytest.mark.parametrize("exponent", [0.0, 0.8, 1.5])
def test_ranks_follow_zipf(exponent: float) -> None:
    slots, n = 50, 40_000
    steps = made(Zipf(exponent=exponent, keep=1.0, free=0.0), n, slots)  # one event a step
    count = np.sort(np.bincount(steps.slot, minlength=slots))[::-1]
    weight = np.arange(1, slots + 1) ** -exponent
    expected = n * weight / weight.sum()
    chi = ((np.sort(count)[::-1] - expected) ** 2 / expected).sum()
    assert chi < slots + 5 * math.sqrt(2 * slots)
    first = np.argsort(np.bincount(steps.slot, minlength=slots))[::-1][:5]
    assert exponent == 0 or sorted(first) != list(range(5)), "ranks are scattered"


def test_work_has_its_shares() -> None:
    steps = made(Zipf(exponent=0, overwrite=0.3, free=0.2, keep=0.5), 40_000, 100)
    used = [(kind, slot in live) for kind, slot, live in in_use(steps)]
    freed_after_read = ((steps.kind[1:] == FREE) & (steps.kind[:-1] == IN) & (steps.slot[1:] == steps.slot[:-1])).sum()
    overwrites, reads = sum(k == OUT and live for k, live in used), (steps.kind == IN).sum()
    drops = (steps.kind == FREE).sum() - freed_after_read
    whole = overwrites + reads + drops
    assert overwrites / whole == pytest.approx(0.3, abs=0.02)
    assert reads / whole == pytest.approx(0.5, abs=0.02)
    assert freed_after_read / reads == pytest.approx(0.5, abs=0.02)


def test_phases_stay_in_their_set() -> None:
    steps = made(Phases(phases=4, sets=2, wander=0.0), 4_000, 100)
    phase = np.arange(4_000) // 1_000
    astray = (steps.slot // 50 != phase % 2).sum()
    assert astray <= 4  # the free that belongs to the last read of a phase


def test_growth_is_even_and_complete() -> None:
    steps = made(Growth(), 5_000, 1_000)
    highest = np.maximum.accumulate(steps.slot)
    assert abs(highest - np.arange(5_000) / 5).max() <= 2
    assert made(Growth(), 40, 1_000).slot.tolist() == list(range(40))


def test_scans_go_in_order() -> None:
    steps = made(Scan(write=0.5, window=4), 2_000, 30)
    read = steps.slot[steps.kind == IN]
    assert read.tolist() == [i % 30 for i in range(len(read))]
    assert steps.slot[:30].tolist() == list(range(30))
    assert (steps.kind[:30] == OUT).all()
    assert (steps.kind == FREE).sum() / len(read) == pytest.approx(0.5, abs=0.05)


def test_children_have_the_pages_of_their_parent() -> None:
    fork = Fork(children=3, private=0.25, read=0.5, tasks=4)
    steps = made(fork, 20_000, 400)
    assert steps.like is not None
    assert steps.task is not None
    child = steps.out & (steps.slot >= 100)
    shared = steps.like[child] >= 0
    assert shared.mean() == pytest.approx(0.75, abs=0.02)
    assert (steps.like[child][shared] == steps.slot[child][shared] % 100).all()
    assert np.array_equal(steps.task, steps.slot // 100)
    assert (steps.kind == IN).sum() / (steps.kind == FREE).sum() == pytest.approx(0.5, abs=0.03)


def test_discards_are_runs_and_read_nothing() -> None:
    steps = made(Discard(run=16), 5_000, 500)
    assert not (steps.kind == IN).any()
    same = (steps.kind[1:] == steps.kind[:-1]) & (steps.slot[1:] == steps.slot[:-1] + 1)
    assert same.mean() > 0.6


def test_shares_over_one_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 1 together"):
        Zipf(overwrite=0.8, free=0.3)
    assert issubclass(Zipf, Working)
