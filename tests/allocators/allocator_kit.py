"""What the tests of the allocators share: every built-in configuration, sequences of operations, and their replay."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from allocators import CompiledAllocator, PageZone, TooLarge
from allocators.compiled import batch
from allocators.compiled.batch import ALLOC, COMPACT, FREE
from allocators.compiled.ids import NIL
from allocators.zbud import Zbud
from sim.plugins import ALLOCATORS

Spec = tuple[str, dict[str, Any]]
PAGE_SIZES = (4096, 16384, 65536)

VARIANTS: dict[str, Spec] = {
    "zsmalloc-2012": ("zsmalloc", {"era": "2012"}),
    "zsmalloc-3.10": ("zsmalloc", {"era": "3.10"}),
    "zsmalloc-3.19": ("zsmalloc", {"era": "3.19"}),
    "zsmalloc-4.1": ("zsmalloc", {"era": "4.1"}),
    "zsmalloc-4.4": ("zsmalloc", {"era": "4.4"}),
    "zsmalloc-4.4-pae": ("zsmalloc", {"era": "4.4", "bits": 32, "physmem_bits": 36}),
    "zsmalloc-6.1": ("zsmalloc", {"era": "6.1"}),
    "zsmalloc-2022-c8": ("zsmalloc", {"era": "2022", "chain": 8}),
    "zsmalloc-2022-c16": ("zsmalloc", {"era": "2022", "chain": 16}),
    "zsmalloc-6.2": ("zsmalloc", {"era": "6.2"}),
    "zsmalloc-6.3-c8": ("zsmalloc", {"era": "6.3"}),
    "zsmalloc-6.6-lpae": ("zsmalloc", {"era": "6.6", "chain": 4, "bits": 32, "physmem_bits": 40}),
    "zsmalloc-6.12-c4": ("zsmalloc", {"chain": 4}),
    "zsmalloc-6.12-c16": ("zsmalloc", {"chain": 16}),
    "zsmalloc-2012-lpae": ("zsmalloc", {"era": "2012", "bits": 32, "physmem_bits": 40}),
    "zsmalloc-6.1-pae": ("zsmalloc", {"era": "6.1", "bits": 32, "physmem_bits": 36}),
    "zsmalloc-6.12-lpae": ("zsmalloc", {"bits": 32, "physmem_bits": 40}),
    "xvmalloc-a8": ("xvmalloc", {"align": 8}),
    "zbud-zcache": ("zbud", {"era": "zcache"}),
    "zblock-v2": ("zblock", {"version": "v2"}),
    "zblock-v4": ("zblock", {"version": "v4"}),
}
# Labels in golden rows.
DEFAULTS = {"zsmalloc": "zsmalloc-6.12-c8", "xvmalloc": "xvmalloc-a4", "zbud": "zbud-6.1", "zblock": "zblock-vmalloc"}
KNOWN = {*DEFAULTS.values(), *VARIANTS, "z3fold", "order1", "kmalloc", "coalesce", "ideal"}
# Every allocator there is, and what else of the known ones is worth a test.
ALL: dict[str, Spec] = {DEFAULTS.get(name, name): (name, {}) for name in ALLOCATORS.names()} | VARIANTS


def make(label: str, page_size: int = 4096, zone: PageZone | None = None) -> Any:
    """An allocator of ALL."""
    name, config = ALL[label]
    return ALLOCATORS.find(name)(**config, page_size=page_size, zone=zone)  # type: ignore[call-arg]


def page_sizes(label: str) -> tuple[int, ...]:
    """The page sizes that an allocator has rules for, of those worth a test."""
    return {"zblock-v2": (4096,), "zblock-v4": (4096, 16384), "zblock-vmalloc": (4096, 16384)}.get(label, PAGE_SIZES)


def largest(label: str, page_size: int = 4096) -> int:
    """The largest size that an allocator stores: by the rules of its kernel, or found out."""
    if label.startswith("xvmalloc"):  # up to the last of its free lists, which are 8, 16, 32 or 64 bytes apart
        return page_size - (
            8 if label == "xvmalloc-a4" else {4096: 8, 8192: 16, 16384: 32, 32768: 64, 65536: 16}[page_size]
        )
    if label.startswith("zblock"):  # less than a page, and than the largest slot
        return {("zblock-v2", 4096): 4095, ("zblock-v4", 16384): 13095, ("zblock-vmalloc", 16384): 16359}.get(
            (label, page_size), 4079
        )
    if label == "zbud-6.1":
        return page_size - 2 * page_size // 64  # all chunks but the header's, and one must stay free
    if label == "zbud-zcache":
        return page_size - 128 - 64
    return page_size if label in KNOWN else bisect_left(range(1, page_size + 1), True, key=_refuses(label, page_size))


def _refuses(label: str, page_size: int) -> Callable[[int], bool]:
    def refuses(size: int) -> bool:
        try:
            make(label, page_size).alloc(size)
        except TooLarge:
            return True
        return False

    return refuses


class Sequence(NamedTuple):
    """Operations as `run_operations` takes them."""

    op: Any  # uint8[n]: ALLOC, FREE or COMPACT
    key: Any  # int64[n]: object
    size: Any  # int64[n]

    @property
    def objects(self) -> int:
        return int(self.key.max()) + 1


def random_sequence(seed: int, count: int, *, page_size: int = 4096, compact: float = 0.01) -> Sequence:
    """Growth, churn and shrinkage of the pool, of sizes that mix the small, the large and the edges of the rules."""
    rng = random.Random(seed)
    edges = [0, 1, 8, 31, 32, 33, 48, 63, 64, 65, page_size // 2 - 8, page_size // 2, page_size + 1]
    edges += [page_size - back for back in (0, 4, 5, 7, 8, 9, 128, 129, 191, 192, 193, 470, 472, 839, 840)]
    edges += [63, 119, 120, 144, 2039, 2040, 3632, 4071, 4072, 4079, 4080, 13095, 13096]  # slots of zblock
    edges = [size for size in edges if size <= page_size + 1]
    fixed = rng.randrange(1, page_size)
    sizes = [
        lambda: rng.randrange(1, page_size + 1),
        lambda: int(min(page_size, max(1, rng.gauss(page_size * 0.4, page_size * 0.15)))),
        lambda: rng.randrange(1, 257),
        lambda: rng.choice(edges),
        lambda: fixed,  # a class that fills up
    ]
    ops: list[tuple[int, int, int]] = []
    live: list[int] = []
    weights = [1] * len(sizes)
    births = 0.5
    for i in range(count):
        if i % max(1, count // 12) == 0:
            births = rng.choice((0.8, 0.6, 0.5, 0.3))
            weights = [rng.choice((0, 1, 4)) for _ in sizes]
            weights[rng.randrange(len(sizes))] = 8
        if rng.random() < compact:
            ops.append((COMPACT, 0, 0))
        elif not live or rng.random() < births:
            live.append(i)
            ops.append((ALLOC, i, rng.choices(sizes, weights)[0]()))
        else:
            where = rng.choice((rng.randrange(len(live)), -1, 0))
            ops.append((FREE, live.pop(where), 0))
    op, key, size = np.array(ops, np.int64).T
    return Sequence(op.astype(np.uint8), key.copy(), size.copy())


class Run:
    """A replay that goes on, sequence after sequence; `loop` may be the plain form of the compiled one."""

    def __init__(self, allocator: CompiledAllocator, objects: int, loop: Any = batch.replay) -> None:
        self.allocator, self.loop = allocator, loop
        self.live = np.full(objects, NIL, np.int64)

    def __call__(self, sequence: Sequence) -> tuple[Any, Any]:
        """What each operation answered, and the pages held after it."""
        count = len(sequence.op)
        handles, pages = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self.allocator.drive(self.loop, count, *sequence, self.live, handles, pages)
        return handles, pages


def replay(allocator: CompiledAllocator, sequence: Sequence) -> Any:
    """Pages held after each operation."""
    return Run(allocator, sequence.objects)(sequence)[1]


def release_idle(allocator: CompiledAllocator) -> int:
    """Take the pages from an allocator that it keeps empty; how many."""
    count = 0
    while isinstance(allocator, Zbud) and allocator.release_idle():
        count += 1
    return count
