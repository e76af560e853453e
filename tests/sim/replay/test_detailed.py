"""What the replay notes for the timing stage, held against what can be seen from outside, one event at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from allocators import Allocator, PageZone
from sim.frontends.compiled.slots import HUGE, OBJECT
from sim.plugins import FRONTENDS, make_allocator
from sim.replay.detailed import detailed
from sim.replay.replay import replay
from workloads import COMPACT, FREE, GIVEN, IN, OUT, Events, Sizes, Trace
from workloads.generators.base import churn, with_pages

ALLOCATORS = ("zsmalloc", "zsmalloc:era=2012", "zsmalloc:era=6.1", "xvmalloc", "zbud", "z3fold", "zblock", "order1")
ALLOCATORS += ("zblock:version=v2", "coalesce")


def case(n: int = 1500, slots: int = 400) -> tuple[Trace, Sizes]:
    """Random events of all kinds over pages of all sizes."""
    rng = np.random.default_rng(2)
    given = Sizes.given(np.append(rng.integers(1, 4097, 300), [1, 4095, 4096]))
    given.same_filled[::20] = True
    given.compress_ns[:] = rng.integers(1000, 9000, len(given))
    given.decompress_ns[:] = rng.integers(500, 3000, len(given))
    events = churn(n, slots, rng)
    events.kind[50::97] = COMPACT
    reads = (events.kind == FREE) & (rng.random(len(events)) < 0.5)
    events.kind[reads] = IN
    events.slot[events.kind == COMPACT] = 0
    events.page[events.kind != OUT] = -1
    events = with_pages(events, rng.integers(0, len(given), int((events.kind == OUT).sum())))
    return Trace.from_arrays("random", events, None, {GIVEN: given}), given


class Placed(Allocator):
    """A user's own allocator that knows where its objects lie."""

    name = "placed"

    def __init__(self, spec: str) -> None:
        self.inner = make_allocator(spec)
        self.huge_size = self.inner.huge_size

    def alloc(self, size: int) -> int:
        return self.inner.alloc(size)

    def free(self, handle: int) -> None:
        self.inner.free(handle)

    def compact(self) -> int:
        return self.inner.compact()

    def placement(self, handle: int) -> Any:
        return self.inner.placement(handle)

    @property
    def pages(self) -> int:
        return self.inner.pages


def one_by_one(spec: str, frontend: str) -> dict[str, list[int]]:
    """Each event in a batch of its own, seen from outside through the contract of allocators."""
    trace, sizes = case()
    allocator = make_allocator(spec)
    running = replay(trace, sizes, FRONTENDS.make(frontend), allocator, 1)
    slot = running.device.slots.slot
    seen: dict[str, list[int]] = {name: [] for name in ("spans", "bytes", "stored", "freed", "kept", "moved")}
    page_of: dict[int, int] = {}
    held: dict[int, tuple[int, Any]] = {}
    moved = allocator.moved()
    for events, outcome in running:
        kind, where, what = int(events.kind[0]), int(events.slot[0]), int(outcome["what"][0])
        if kind == OUT:
            page_of[where] = int(events.page[0])
        before, entry = held.get(where), slot[where]
        now = (int(entry.handle), int(entry.bytes)) if entry.what in (OBJECT, HUGE) else None
        stored = kind == OUT and what in (OBJECT, HUGE)
        looked_at = now if stored else (before if kind == IN else None)
        placement = None if looked_at is None else spans_of(allocator, looked_at[0], now)
        seen["spans"].append(int(bool(placement)))
        seen["bytes"].append(looked_at[1] if looked_at else 0)
        seen["stored"].append(int(stored))
        seen["freed"].append(int(before is not None and kind != COMPACT and (stored or now != before)))
        seen["kept"].append(page_of.get(where, -1) if kind != COMPACT else -1)
        seen["moved"].append(int((allocator.moved() - moved)[:, 0].sum()))
        moved = allocator.moved()
        if now:
            held[where] = now
        else:
            held.pop(where, None)
    return seen


def spans_of(allocator: Allocator, handle: int, now: Any) -> bool:
    """Whether an object that is still there spans pages."""
    assert now is not None
    placement = allocator.placement(handle)
    return placement is not None and placement.spans


def whole(spec: str | Allocator, frontend: str, batch: int = 333, **given: Any) -> Any:
    """The details of all events, and what compactions moved."""
    trace, sizes = case()
    allocator = make_allocator(spec) if isinstance(spec, str) else spec
    running = detailed(trace, sizes, FRONTENDS.make(frontend), allocator, batch=batch, **given)
    rows, moved = [], {}
    for start, (events, outcome) in enumerate(running):
        rows.append(np.array(running.log.row[: len(events)]))
        moved |= {start * batch + i: m for i, m in running.moved.items()}
        assert len(outcome) == len(events)
    allocator.check()
    return np.concatenate(rows), moved


@pytest.mark.parametrize("frontend", ["zram", "raw"])
@pytest.mark.parametrize("spec", ALLOCATORS)
def test_details_are_what_is_seen_from_outside(spec: str, frontend: str) -> None:
    seen = one_by_one(spec, frontend)
    rows, moved = whole(spec, frontend)
    for name, noted in (
        ("spans", rows["spans"]),
        ("bytes", rows["bytes"]),
        ("stored", rows["lock"] >= 0),
        ("freed", rows["free_lock"] >= 0),
        ("kept", rows["page"]),
    ):
        assert noted.astype(int).tolist() == seen[name], name
    assert {i: int(m[:, 0].sum()) for i, m in moved.items()} == {
        i: seen["moved"][i] for i in range(len(rows)) if i in moved
    }
    assert (rows["spans"].sum() > 0) == (spec.startswith("zsmalloc") or spec == "coalesce")
    assert (sum(seen["moved"]) > 0) == (spec in ("zsmalloc", "zsmalloc:era=6.1", "order1"))


@pytest.mark.parametrize("spec", ALLOCATORS)
def test_pages_allocated_and_released_add_up(spec: str) -> None:
    trace, sizes = case()
    allocator = make_allocator(spec)
    pages = 0
    running = detailed(trace, sizes, FRONTENDS.make("zram"), allocator, batch=100)
    for events, outcome in running:
        for row, held in zip(running.log.row[: len(events)], outcome["pages"].tolist(), strict=True):
            pages += int(row.allocated) - int(row.released)
            assert pages == held
    assert allocator.pages == pages > 0


def test_details_change_nothing() -> None:
    trace, sizes = case()
    plain, noted = make_allocator("zsmalloc"), make_allocator("zsmalloc")
    before = [np.array(o) for _, o in replay(trace, sizes, FRONTENDS.make("zram"), plain)]
    running = detailed(trace, sizes, FRONTENDS.make("zram"), noted, page_cluster=3, cache_pages=16)
    after = [np.array(o) for _, o in running]
    assert np.concatenate(before).tolist() == np.concatenate(after).tolist()
    assert plain.stats() == noted.stats()


@pytest.mark.parametrize("spec", ["zsmalloc", "zbud", "coalesce"])
def test_a_users_allocator_tells_what_its_placement_does(spec: str) -> None:
    mine, _ = whole(Placed(spec), "zram")
    built_in, _ = whole(spec, "zram")
    for name in ("spans", "bytes", "page", "reads", "writes"):
        assert mine[name].tolist() == built_in[name].tolist(), name
    assert ((mine["lock"] >= 0) == (built_in["lock"] >= 0)).all()
    assert set(mine["lock"].tolist()) <= {-1, 0}


def test_zsmalloc_has_a_lock_for_each_class() -> None:
    rows, _ = whole("zsmalloc", "zram")
    allocator: Any = make_allocator("zsmalloc")
    stored = rows[rows["lock"] >= 0]
    added = np.minimum(stored["bytes"] + 8, 4096)
    sizes = np.array([c.size for c in allocator.classes])
    assert (stored["lock"] == np.searchsorted(sizes, added)).all()
    assert len(allocator.moved()) == len(sizes)


def test_an_empty_zone_is_noted() -> None:
    trace, sizes = case()
    running = detailed(trace, sizes, FRONTENDS.make("zram"), make_allocator("zsmalloc", zone=PageZone(40)))
    empty = [np.array(running.log.row["no_page"][: len(events)]) for events, _ in running]
    assert 0 < np.concatenate(empty).sum() < trace.n_events


class Ahead:
    """The swap cache, slowly: a dict in the order of reading, in front of a device seen from outside."""

    def __init__(self, window: int, room: int, n_slots: int) -> None:
        self.window, self.room, self.n_slots = window, room, n_slots
        self.cached: dict[int, int] = {}  # slot -> when it was read ahead
        self.count = 0

    def event(self, kind: int, slot: int, in_use: set[int]) -> tuple[int, int, int]:
        """Cached or not, pages read ahead, pages given up."""
        if kind == COMPACT:
            return 0, 0, 0
        if kind != IN:
            return 0, 0, int(self.cached.pop(slot, None) is not None)
        if self.cached.pop(slot, None) is not None:
            return 1, 0, 0
        if slot not in in_use:
            return 0, 0, 0
        ahead = dropped = 0
        first = slot // self.window * self.window
        for other in range(first, min(first + self.window, self.n_slots)):
            if other != slot and other in in_use and other not in self.cached:
                self.count += 1
                self.cached[other] = self.count
                ahead += 1
                for old in [s for s, when in self.cached.items() if when <= self.count - self.room]:
                    del self.cached[old]
                    dropped += 1
        return 0, ahead, dropped


@pytest.mark.parametrize(("cluster", "room"), [(0, 8), (1, 8), (3, 8), (3, 4096), (5, 100)])
def test_readahead(cluster: int, room: int) -> None:
    trace, _ = case()
    rows, _ = whole("zsmalloc", "zram", page_cluster=cluster, cache_pages=room)
    model, in_use = Ahead(1 << cluster, room, trace.n_slots), set[int]()
    seen = []
    (events,) = trace.batches()
    for kind, slot in zip(events.kind.tolist(), events.slot.tolist(), strict=True):
        seen.append(model.event(kind, slot, in_use))
        if kind == OUT:
            in_use.add(slot)
        elif kind == FREE:
            in_use.discard(slot)
    noted = list(zip(*(rows[name].tolist() for name in ("cached", "ahead", "dropped")), strict=True))
    assert noted == (seen if cluster else [(0, 0, 0)] * len(rows))
    assert (rows["ahead"].sum() > 0) == (cluster > 0)


@pytest.mark.parametrize("name", [lambda slot: slot + 2**63, lambda slot: slot * 4096 + 2**40])
def test_readahead_of_numbered_slots_goes_by_what_they_were_called(name: Callable[[Any], Any]) -> None:
    trace, sizes = case()
    (events,) = trace.batches()
    names = [
        0 if kind == COMPACT else name(slot)
        for kind, slot in zip(events.kind.tolist(), events.slot.tolist(), strict=True)
    ]
    numbered = Trace.from_arrays("n", Events.of(events.kind, names, events.page), None, {GIVEN: sizes})
    assert numbered.original_slots() is not None
    seen = []
    for one in (trace, numbered):
        given = {"page_cluster": 3, "cache_pages": 64, "batch": one.n_events}
        running = detailed(one, sizes, FRONTENDS.make("zram"), make_allocator("zsmalloc"), **given)
        list(running)
        seen.append(np.array(running.log.row[: one.n_events]))
    assert np.array_equal(*seen)
    assert seen[0]["ahead"].any()
