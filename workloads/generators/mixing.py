"""The patterns of a recipe, mixed: one sequence of events, and which page of which contents each of them writes."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from workloads.generators import powers
from workloads.generators.contents.base import Pages, Place, Pool
from workloads.generators.described import Described
from workloads.generators.draws import Draws, Numbers, share
from workloads.generators.patterns.base import Pattern, Steps
from workloads.traces.events import OUT, Events
from workloads.traces.sizes import GIVEN, Sizes

NUMBER = 40  # bits of a page's number within its contents
PART = 256  # pages made at once


@dataclass(frozen=True)
class Totals:
    """What may be told otherwise than the recipe says."""

    events: int
    slots: int
    seed: int
    page_size: int


class Mix:
    """The trace of a recipe: its events, and the pages that they write, made when they are asked for.

    Each pattern has slots and tasks of its own; their events are spread evenly over the time of the pattern, and so mix
    in the order of their times. Raises TraceError for what does not fit together.
    """

    def __init__(self, recipe: Described, totals: Totals) -> None:
        self._recipe, self._totals, self._draws = recipe, totals, Draws("recipe", totals.seed)
        self._pools = dict(self._made())
        self._check_alike()
        self._index = {name: i for i, name in enumerate(self._pools)}
        self._slots = powers.apportioned(totals.slots, [pattern.slots for pattern in recipe.patterns])
        self._counts = powers.apportioned(totals.events, [pattern.events for pattern in recipe.patterns])
        for i, (pattern, slots) in enumerate(zip(recipe.patterns, self._slots, strict=True)):
            if slots < pattern.least_slots:
                wrong = f"gets {slots} of the {totals.slots} slots, and needs {pattern.least_slots}"
                raise recipe.wrong(f"patterns[{i}].slots", wrong, "give it a larger share, or more slots in all")

    @property
    def content(self) -> bool:
        """Whether the pages have bytes."""
        return all(pool.paged for pool in self._pools.values())

    @property
    def origins(self) -> list[Path]:
        """Where pages come from that may be somebody's."""
        return [pool.origin for pool in self._pools.values() if pool.origin]

    def events(self) -> tuple[Events, Numbers]:
        """Return all events, and the codes of their pages, ascending; `page` counts those."""
        written = dict.fromkeys(self._pools, 0)
        parts, codes, task = [], [], 1
        first = 0
        for i, (pattern, n, slots) in enumerate(zip(self._recipe.patterns, self._counts, self._slots, strict=True)):
            draws = self._draws.of("pattern", i)
            steps = pattern.steps(n, slots, draws.of("steps")) if n else Steps.of(0, bytearray(), array("q"))
            tasks = steps.slot * pattern.tasks // slots if steps.task is None else steps.task
            time = self._times(pattern, n, draws.of("time"))
            codes.append(self._codes(pattern, steps, draws.of("pages"), written))
            empty = np.full(n, -1, np.int32)
            parts.append(Events(steps.kind, steps.slot + first, empty, time, (tasks + task).astype(np.int32)))
            first, task = first + slots, task + pattern.tasks
        columns = zip(*(part.columns().values() for part in parts), strict=True)
        kind, slot, page, time, task_ = (np.concatenate(column) for column in columns)
        code, number = np.unique(np.concatenate(codes), return_inverse=True)
        page[kind == OUT] = number
        order = np.argsort(time, kind="stable")
        return Events(kind[order], slot[order], page[order], time[order], task_[order]), code

    def pages(self, codes: Numbers) -> Iterator[Pages]:
        """Yield the pages of ascending codes in their order, uint8[n, page_size]."""
        for pool, numbers in self._split(codes):
            for start in range(0, len(numbers), PART):
                yield pool.pages(numbers[start : start + PART])

    def sizes(self, codes: Numbers) -> Sizes:
        """Return the sizes of the pages of ascending codes."""
        size, same, zero = [], [], []
        for pool, numbers in self._split(codes):
            size.append(pool.sizes(numbers))
            marks = pool.filled(numbers)
            same.append(marks[0])
            zero.append(marks[1])
        none = np.zeros(len(codes), np.int64)
        columns = np.concatenate(size), np.concatenate(same), np.concatenate(zero)
        return Sizes(*columns, none, none.copy(), {"codec": GIVEN})

    def _split(self, codes: Numbers) -> Iterator[tuple[Pool, Numbers]]:
        ends = np.searchsorted(codes, np.arange(1, len(self._pools) + 1) << NUMBER)
        for pool, part in zip(self._pools.values(), np.split(codes, ends[:-1]), strict=True):
            yield pool, part & ((1 << NUMBER) - 1)

    def _made(self) -> Iterator[tuple[str, Pool]]:
        recipe, totals = self._recipe, self._totals
        for name, content in recipe.contents.items():
            key = f"contents.{name}"
            place = Place(recipe.file, totals.page_size, totals.slots, self._draws.of("contents", name))
            try:
                pool = content.pool(place)
            except ValueError as error:
                if type(error) is not ValueError:
                    raise
                raise recipe.told(key, error) from error
            yield name, pool

    def _check_alike(self) -> None:
        """Either all contents have bytes, or all have sizes."""
        alone = [name for name, pool in self._pools.items() if not pool.paged]
        others = [name for name, pool in self._pools.items() if not pool.sized]
        if alone and others:
            wrong = f"has bytes, and contents.{alone[0]} sizes alone"
            remedy = "give sizes alone to all contents but zero and same, or to none"
            raise self._recipe.wrong(f"contents.{others[0]}", wrong, remedy)

    def _times(self, pattern: Pattern, n: int, draws: Draws) -> npt.NDArray[np.int64]:
        """Nanoseconds: each event anywhere in its n-th part of the pattern's time."""
        start, end = round(pattern.start * 1e9), round(self._recipe.end(pattern) * 1e9)
        whole, rest = divmod(end - start, max(n, 1))
        at = np.arange(n + 1)
        edge = start + at * whole + at * rest // max(n, 1)
        return edge[:-1] + modulo_each(draws.words(n), np.diff(edge))

    def _codes(self, pattern: Pattern, steps: Steps, draws: Draws, written: dict[str, int]) -> Numbers:
        """Contents and number of the page of each page-out, in one number."""
        out = np.flatnonzero(steps.out)
        n = len(out)
        shares = self._recipe.shares(pattern)
        chosen = powers.Choice(powers.weights([*shares.values()])).pick(draws.of("contents").words(n))
        luck = draws.of("luck").words(n)
        code = np.empty(n, np.int64)
        own = self._sources(steps, out, draws, share(pattern.duplicates))
        fresh = own == np.arange(n)
        for i, name in enumerate(shares):
            rows = np.flatnonzero(fresh & (chosen == i))
            order = written[name] + np.arange(len(rows))
            written[name] += len(rows)
            code[rows] = (self._index[name] << NUMBER) | self._pools[name].numbers(order, luck[rows])
        return code[own]

    @staticmethod
    def _sources(steps: Steps, out: Numbers, draws: Draws, duplicates: int) -> Numbers:
        """For each page-out the one, counted from 0, whose page it has: itself, or one before."""
        own = np.arange(len(out))
        if steps.like is not None:
            like = steps.like[out]
            own = np.where(like >= 0, np.searchsorted(out, like), own)
        if duplicates:
            again = (draws.of("again").words(len(out)) >> np.uint64(32)) < np.uint64(duplicates)
            again[:1] = False
            earlier = modulo_each(draws.of("earlier").words(len(out)), np.arange(len(out)))
            own = np.where(again, earlier, own)
        while not np.array_equal(further := own[own], own):
            own = further
        return own


def modulo_each(words: npt.NDArray[np.uint64], bounds: Numbers) -> Numbers:
    """Return random words as numbers from 0 to each bound - 1; 0 where the bound is 0."""
    return (words % np.maximum(bounds, 1).astype(np.uint64)).astype(np.int64)
