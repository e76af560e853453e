"""Frontends driven event by event: on a user's allocator, compiled, and as plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np

from allocators import Allocator
from allocators.compiled.jit import plain as python
from allocators.errors import TooLarge
from sim.replay.loop import OUTCOME
from sim.replay.loop import replay as loop
from workloads.traces.events import FREE, IN, OUT

SAME = 0  # the size that stands for a page filled with a word that is not zero
ZERO = -1  # for a page of zeros
SAME_SIZE = 20  # of their compressed form

Step = tuple[int, int, int]  # kind, slot, compressed size


class PagePer(Allocator):
    """One page for each object: pages held are objects held."""

    name = "page-per"

    def __init__(self, largest: int = 4096) -> None:
        self.largest = largest
        self.live: set[int] = set()
        self.made = 0

    def alloc(self, size: int) -> int:
        if size > self.largest:
            raise TooLarge(f"{size} bytes")
        self.made += 1
        self.live.add(self.made)
        return self.made

    def free(self, handle: int) -> None:
        self.live.remove(handle)

    @property
    def pages(self) -> int:
        return len(self.live)


def out(slot: int, size: int = 1000) -> Step:
    return OUT, slot, size


def load(slot: int) -> Step:
    return IN, slot, 0


def free(slot: int) -> Step:
    return FREE, slot, 0


def run(device: Any, allocator: Allocator, steps: list[Step], plain: bool = False) -> Any:
    """The outcomes of the steps, OUTCOME[n]; on a built-in allocator compiled unless `plain`."""
    kind, slot, size = (np.array(column) for column in zip(*steps, strict=True))
    filled = size <= 0
    pages = (np.where(filled, SAME_SIZE, size).astype(np.int32), filled, size == ZERO)
    columns = (kind.astype(np.uint8), slot.astype(np.int64), np.arange(len(steps), dtype=np.int32), *pages)
    outcome = np.zeros(len(steps), OUTCOME).view(np.recarray)
    allocator.drive(python(loop) if plain else loop, len(steps), device, *columns, outcome, None)
    return outcome


def random_steps(seed: int, count: int, n_slots: int) -> list[Step]:
    """Page-outs of all kinds of sizes, page-ins and frees of any slot."""
    rng = np.random.default_rng(seed)
    sizes = [SAME, ZERO, 300, 1000, 2000, 3000, 3400, 3700, 4096, 4200]
    kinds = rng.choice([OUT, IN, FREE], count, p=[0.6, 0.25, 0.15])
    slots = rng.integers(0, n_slots, count)
    drawn = np.where(rng.random(count) < 0.3, rng.choice(sizes, count), rng.integers(100, 3200, count))
    return [(int(k), int(s), int(z) if k == OUT else 0) for k, s, z in zip(kinds, slots, drawn, strict=True)]
