"""zcache's ephemeral pool: put, get, flush, and what is dropped first."""

from __future__ import annotations

import numpy as np
import pytest

from allocators.errors import CheckFailed
from sim.frontends.ephemeral import EphemeralPool

HALF, SMALL, LARGEST = 31 * 64, 64, 3904


def test_put_get_flush() -> None:
    pool = EphemeralPool()
    assert pool.put("a", 1000)
    assert pool.put("b", 1000)
    assert (len(pool), pool.pages) == (2, 1)
    assert pool.get("a")
    assert not pool.get("a")  # a get takes the page out
    assert pool.flush("b")
    assert not pool.flush("b")
    assert (len(pool), pool.pages) == (0, 1)  # the empty page is kept
    assert pool.shrink(5) == []
    assert pool.pages == 0
    assert pool.evicted == {"raw": 1, "unbuddied": 0, "buddied": 0}


def test_too_large_and_replaced() -> None:
    pool = EphemeralPool()
    assert pool.put("a", LARGEST)
    assert not pool.put("a", LARGEST + 1)  # the old one is gone all the same
    assert len(pool) == 0
    assert pool.put("a", 100)
    assert pool.put("a", 200)
    assert (len(pool), pool.pages) == (1, 1)


def test_order_of_eviction() -> None:
    """Single objects first, the smallest and of these the oldest first; then pairs, the oldest first."""
    pool = EphemeralPool()
    for key in "abcd":
        pool.put(key, HALF)  # pairs ab, cd
    for key in ("x1", "x2", "y"):
        pool.put(key, 64 * 40 if key == "y" else 64 * 35)
    assert pool.pages == 5
    assert pool.shrink(1) == ["x1"]
    assert pool.pages == 5  # only emptied
    assert pool.shrink(2) == ["x2"]  # the first step releases the emptied page
    assert pool.pages == 4
    assert pool.shrink(3) == ["y", "a", "b"]
    assert pool.shrink(100) == ["c", "d"]
    assert pool.shrink(100) == []
    assert (pool.pages, len(pool)) == (0, 0)
    assert pool.evicted == {"raw": 5, "unbuddied": 3, "buddied": 2}


def test_a_pair_that_lost_one_is_single_and_the_youngest_of_its_size() -> None:
    pool = EphemeralPool()
    pool.put("a", 64 * 35)
    pool.put("b", 64 * 20)  # beside a
    pool.put("c", 64 * 35)
    pool.flush("b")
    assert pool.shrink(2) == ["c", "a"]


def test_quirk_of_the_largest_objects() -> None:
    pool = EphemeralPool()
    pool.put("a", LARGEST)
    pool.put("b", LARGEST - 64)
    assert pool.shrink(100) == ["b"]
    assert pool.shrink(100) == []
    assert len(pool) == 1


class Reference:
    """The same on plain lists of pages, each a pair of [key, chunks] or None, in the order of the kernel's lists."""

    def __init__(self) -> None:
        self.single: list[list[list[tuple[int, int] | None]]] = [[] for _ in range(62)]
        self.pairs: list[list[tuple[int, int] | None]] = []
        self.unused: list[list[tuple[int, int] | None]] = []

    def put(self, key: int, size: int) -> bool:
        self.flush(key)
        if not 1 <= size <= LARGEST:
            return False
        chunks = -(-size // 64)
        for fit in range(62 - chunks, 0, -1):
            if fit < 62 and self.single[fit]:
                page = self.single[fit].pop(0)
                page[page.index(None)] = (key, chunks)
                self.pairs.append(page)
                return True
        page = self.unused.pop(0) if self.unused else [None, None]
        page[0] = (key, chunks)
        self.single[chunks].append(page)
        return True

    def flush(self, key: int) -> bool:
        for pages in (*self.single, self.pairs):
            for page in pages:
                for end, one in enumerate(page):
                    if one and one[0] == key:
                        pages[:] = [other for other in pages if other is not page]
                        page[end] = None
                        rest = page[1 - end]
                        if rest:
                            self.single[rest[1]].append(page)
                        else:
                            self.unused.insert(0, page)
                        return True
        return False

    def shrink(self, count: int) -> list[int]:
        dropped = []
        released = min(count, len(self.unused))
        del self.unused[:released]
        for _ in range(count - released):
            pages = next((pages for pages in (*self.single[:61], self.pairs) if pages), None)
            if pages is None:
                break
            keys = [one[0] for one in pages[0] if one]
            for key in keys:
                self.flush(key)
            dropped += keys
        return dropped

    @property
    def pages(self) -> int:
        return sum(map(len, self.single)) + len(self.pairs) + len(self.unused)


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_reference(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pool, reference = EphemeralPool(), Reference()
    for step in range(1500):
        key, size = int(rng.integers(120)), int(rng.integers(1, LARGEST + 100))
        action = rng.random()
        if action < 0.6:
            assert pool.put(key, size) == reference.put(key, size)
        elif action < 0.8:
            assert pool.get(key) == reference.flush(key)
        elif action < 0.9:
            assert pool.flush(key) == reference.flush(key)
        else:
            count = int(rng.integers(1, 8))
            assert pool.shrink(count) == reference.shrink(count)
        assert pool.pages == reference.pages
        if step % 50 == 0:
            pool.check()
    assert min(pool.evicted.values()) > 0


def test_check_finds_damage() -> None:
    pool = EphemeralPool()
    pool.put("a", HALF)
    pool.put("b", HALF)
    pool.buddied.clear()
    with pytest.raises(CheckFailed, match="pairs"):
        pool.check()
    pool.key.clear()
    with pytest.raises(CheckFailed, match="keys"):
        pool.check()
