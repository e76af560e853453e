"""What the tests of the allocators share: every built-in configuration, sequences of operations, and their replay."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import numpy as np

from allocators import KernelAllocator, PageZone, allocator_class
from allocators.kernels import calls
from allocators.kernels.calls import ALLOC, COMPACT, FREE
from allocators.kernels.ids import NIL

Spec = tuple[str, dict[str, Any]]

ALL: dict[str, Spec] = {
    "zsmalloc-2012": ("zsmalloc", {"era": "2012"}),
    "zsmalloc-6.1": ("zsmalloc", {"era": "6.1"}),
    "zsmalloc-6.12-c4": ("zsmalloc", {"chain": 4}),
    "zsmalloc-6.12-c8": ("zsmalloc", {}),
    "zsmalloc-6.12-c16": ("zsmalloc", {"chain": 16}),
    "xvmalloc-a4": ("xvmalloc", {}),
    "xvmalloc-a8": ("xvmalloc", {"align": 8}),
    "zbud-6.1": ("zbud", {}),
    "zbud-zcache": ("zbud", {"era": "zcache"}),
    "z3fold": ("z3fold", {}),
    "order1": ("order1", {}),
    "kmalloc": ("kmalloc", {}),
    "coalesce": ("coalesce", {}),
    "ideal": ("ideal", {}),
}


def make(label: str, page_size: int = 4096, zone: PageZone | None = None) -> Any:
    """An allocator of ALL."""
    name, config = ALL[label]
    return allocator_class(name)(**config, page_size=page_size, zone=zone)  # type: ignore[call-arg]


def largest(label: str, page_size: int = 4096) -> int:
    """The largest size that an allocator stores, by the rules of its kernel."""
    if label.startswith("xvmalloc"):
        return page_size - 8  # align=4 too: its free lists end there
    if label == "zbud-6.1":
        return page_size - 2 * page_size // 64  # all chunks but the header's, and one must stay free
    if label == "zbud-zcache":
        return page_size - 128 - 64
    return page_size


class Sequence(NamedTuple):
    """Operations as `calls.run` takes them."""

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


def replay(allocator: KernelAllocator, sequence: Sequence, run: Any = calls.run) -> Any:
    """Pages held after each operation."""
    handle = np.full(sequence.objects, NIL, np.int64)
    pages = np.zeros(len(sequence.op), np.int64)
    done = replay_into(allocator, sequence, handle, pages, run)
    assert done == len(sequence.op)
    return pages


def replay_into(allocator: KernelAllocator, sequence: Sequence, handle: Any, pages: Any, run: Any = calls.run) -> int:
    """Run a batch to its end, enlarging the allocator whenever it stops for want of room."""
    done = run(allocator.state, *sequence, handle, pages, 0)
    while done < len(sequence.op):
        allocator.grow()
        done = run(allocator.state, *sequence, handle, pages, done)
    return int(done)
