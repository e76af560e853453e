"""The policy of simulated reclaim, against one in plain dictionaries."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workloads.recorder.snapshot.policy import Reclaim


class Oracle:
    """The policy word for word: one page at a time."""

    def __init__(self, limit: int) -> None:
        self.limit, self.now = limit, 0
        self.contents: dict[int, int] = {}
        self.since: dict[int, int] = {}
        self.out: dict[int, int] = {}

    def step(self, pages: dict[int, int]) -> list[tuple[str, int, int]]:
        events = []
        taken = set(self.out.values())
        for key in sorted(self.contents):
            if key not in pages:
                if key in self.out:
                    events.append(("free", self.out[key], key))
                    taken.discard(self.out.pop(key))
                del self.contents[key], self.since[key]
        for key in sorted(pages):
            if self.contents.get(key) != pages[key]:
                if key in self.out:
                    events.append(("in", self.out[key], key))
                    taken.discard(self.out.pop(key))
                self.contents[key], self.since[key] = pages[key], self.now
        while len(pages) - len(self.out) > self.limit:
            key = min((k for k in pages if k not in self.out), key=lambda k: (self.since[k], k))
            slot = next(s for s in range(len(taken) + 1) if s not in taken)
            taken.add(slot)
            self.out[key] = slot
            events.append(("out", slot, key))
        self.now += 1
        return events


def _columns(pages: dict[int, int]) -> tuple[np.ndarray, np.ndarray]:
    keys = sorted(pages)
    return np.array(keys, np.int64), np.array([pages[k] for k in keys], np.uint64)


def _step(reclaim: Reclaim, pages: dict[int, int]) -> list[tuple[str, int, int]]:
    seen = reclaim.observe(*_columns(pages))
    slots = reclaim.page_out(seen.victims, np.array([pages[k] for k in seen.victims.tolist()], np.uint64))
    read = zip(seen.read.tolist(), seen.changed.tolist(), strict=True)
    out = zip(slots.tolist(), seen.victims.tolist(), strict=True)
    return [
        *(("free", slot, key) for slot, key in zip(seen.freed.tolist(), seen.gone.tolist(), strict=True)),
        *(("in", slot, key) for slot, key in read),
        *(("out", slot, key) for slot, key in out),
    ]


_snapshots = st.lists(st.dictionaries(st.integers(0, 12), st.integers(0, 3), max_size=10), max_size=12)


@given(limit=st.integers(0, 8), snapshots=_snapshots)
def test_equals_the_policy_in_words(limit: int, snapshots: list[dict[int, int]]) -> None:
    reclaim, oracle = Reclaim(limit), Oracle(limit)
    for pages in snapshots:
        assert _step(reclaim, pages) == oracle.step(pages)


@given(limit=st.integers(0, 8), snapshots=_snapshots)
def test_no_slot_is_used_twice_and_the_limit_holds(limit: int, snapshots: list[dict[int, int]]) -> None:
    reclaim = Reclaim(limit)
    live: set[int] = set()
    for pages in snapshots:
        for kind, slot, _ in _step(reclaim, pages):
            if kind == "out":
                assert slot not in live
                live.add(slot)
            else:
                live.remove(slot)
        assert len(pages) - len(live) <= limit


def test_the_page_that_has_been_the_same_for_longest_goes_first() -> None:
    reclaim = Reclaim(2)
    assert _step(reclaim, {1: 0, 2: 0}) == []
    assert _step(reclaim, {1: 1, 2: 0}) == []
    assert _step(reclaim, {1: 1, 2: 0, 3: 0}) == [("out", 0, 2)]
    assert _step(reclaim, {1: 1, 2: 5, 3: 0}) == [("in", 0, 2), ("out", 0, 1)]
    assert _step(reclaim, {2: 5, 3: 0}) == [("free", 0, 1)]


def test_a_page_that_could_not_be_read_stays_resident() -> None:
    reclaim = Reclaim(0)
    keys, digests = _columns({1: 0, 2: 0})
    seen = reclaim.observe(keys, digests)
    assert reclaim.page_out(seen.victims[1:], digests[1:]).tolist() == [0]
    assert reclaim.observe(keys, digests).victims.tolist() == [1]


def test_contents_newer_than_the_snapshot_are_those_that_went_out() -> None:
    reclaim = Reclaim(0)
    keys, digests = _columns({1: 0})
    newer = digests + np.uint64(7)
    reclaim.page_out(reclaim.observe(keys, digests).victims, newer)
    assert reclaim.observe(keys, newer).read.tolist() == []
    assert reclaim.observe(keys, digests).read.tolist() == [0]
