"""Speed of the allocators: millions of operations a second, replayed in batches.

    python benchmarks/bench_allocators.py

Three loads, because a short sequence that repeats is learnt by the processor's branch prediction and stays in its
cache: `repeated` is the bimodal sequence of the golden rows again and again, with fresh objects, everything freed in
between; `permuted` the same with the sizes dealt out anew each time; `large` a random one that never repeats, with
200,000 objects live. `repeated` flatters, up to threefold against `permuted`: quote the other two for real traces.
Figures are the best of several runs after compilation; their ratios to `ideal` depend less on the machine.
"""

from __future__ import annotations

import gzip
import random
import time
from pathlib import Path
from typing import Any

import numpy as np

from allocators import Allocator
from allocators.compiled.batch import ALLOC, COMPACT, FREE, run_operations
from sim.plugins import ALLOCATORS

OPS = Path(__file__).parent.parent / "tests" / "golden" / "allocators" / "ops" / "ii-bimodal-public.ops.gz"
OPERATIONS = 2_000_000
LIVE = 200_000
RUNS = 5
BASE = "ideal"
CONFIGS: list[tuple[str, dict[str, Any]]] = [
    ("zsmalloc", {"era": "2012"}),
    ("zsmalloc", {"era": "6.1"}),
    ("zsmalloc", {"chain": 4}),
    ("zsmalloc", {}),
    ("zsmalloc", {"chain": 16}),
    ("xvmalloc", {}),
    ("xvmalloc", {"align": 8}),
    ("zbud", {}),
    ("zbud", {"era": "zcache"}),
    ("z3fold", {}),
    ("zblock", {}),
    ("order1", {}),
    ("kmalloc", {}),
    ("coalesce", {}),
    (BASE, {}),
]

Sequence = tuple[Any, Any, Any]  # op, key, size, as `run_operations` takes them


def as_sequence(ops: list[tuple[int, int, int]]) -> Sequence:
    op, key, size = np.array(ops, np.int64).T
    return op.astype(np.uint8), key.copy(), size.copy()


def golden() -> Sequence:
    """The golden operations once, and then a free for each object that is left."""
    ops: list[tuple[int, int, int]] = []
    live: dict[int, None] = {}
    for line in gzip.decompress(OPS.read_bytes()).decode().splitlines():
        code, *numbers = line.split()
        key, size = (*map(int, numbers), 0, 0)[:2]
        if code == "a":
            ops.append((ALLOC, key, size))
            live[key] = None
        elif code == "f":
            ops.append((FREE, key, 0))
            del live[key]
        elif code == "c":
            ops.append((COMPACT, 0, 0))
    return as_sequence(ops + [(FREE, key, 0) for key in live])


def repeated(sequence: Sequence, *, permuted: bool) -> Sequence:
    """The sequence again and again, with other objects each time, and their sizes dealt out anew if `permuted`."""
    op, key, size = sequence
    times = -(-OPERATIONS // len(op))
    fresh = np.arange(times)[:, None] * (int(key.max()) + 1)
    sizes = np.tile(size, (times, 1))
    if permuted:
        births = np.flatnonzero(op == ALLOC)
        rng = np.random.default_rng(0)
        for row in sizes:
            row[births] = row[rng.permutation(births)]
    return np.tile(op, times), (key + fresh).ravel(), sizes.ravel()


def large(sizes: list[int]) -> Sequence:
    """Random births and deaths around LIVE objects, of the golden sizes."""
    rng = random.Random(0)
    ops: list[tuple[int, int, int]] = []
    live: list[int] = []
    for i in range(OPERATIONS):
        if not live or rng.random() * 2 * LIVE > len(live):
            ops.append((ALLOC, i, rng.choice(sizes)))
            live.append(i)
        else:
            at = rng.randrange(len(live))
            live[at], live[-1] = live[-1], live[at]
            ops.append((FREE, live.pop(), 0))
    return as_sequence(ops)


def replay(allocator: Allocator, sequence: Sequence) -> float:
    """Seconds for the sequence."""
    start = time.perf_counter()
    run_operations(allocator, *sequence)
    return time.perf_counter() - start


def main() -> None:
    once = golden()
    loads = {"repeated": repeated(once, permuted=False), "permuted": repeated(once, permuted=True)}
    loads["large"] = large(once[2][once[0] == ALLOC].tolist())
    configs = CONFIGS[:-1] + [(name, {}) for name in ALLOCATORS.names() if name not in dict(CONFIGS)] + CONFIGS[-1:]
    compiled, speeds = [], []
    for name, config in configs:
        make: Any = ALLOCATORS.find(name)
        first, second = (replay(make(**config), once) for _ in range(2))
        compiled.append(first - second)
        speeds.append([len(s[0]) / min(replay(make(**config), s) for _ in range(RUNS)) / 1e6 for s in loads.values()])
    print(f"{OPERATIONS:,} operations, M ops/s and ratio to {BASE}, best of {RUNS}; compile in seconds: near 0 when")
    print("read from the cache on disk, or compiled for a configuration above")
    print(f"{'allocator':<18}" + "".join(f"{load:>18}" for load in loads) + f"{'compile':>10}")
    for (name, config), seconds, row in zip(configs, compiled, speeds, strict=True):
        figures = "".join(f"{speed:>11.1f}{speed / base:>7.2f}" for speed, base in zip(row, speeds[-1], strict=True))
        print(f"{ALLOCATORS.find(name)(**config).spec:<18}{figures}{seconds:>10.2f}")


if __name__ == "__main__":
    main()
