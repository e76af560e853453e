"""Equal to the kernels' own allocators in every row (tests/golden/allocators), compiled and as plain Python."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import allocator_kit
import numpy as np
import pytest

from allocators import KernelAllocator
from allocators.jit import JIT
from allocators.kernels import calls
from allocators.kernels.calls import ALLOC, COMPACT, FREE
from allocators.kernels.ids import NIL
from allocators.zsmalloc import Zsmalloc
from allocators.zspages import ZspageAllocator

GOLDEN = Path(__file__).parent.parent / "golden" / "allocators"
FILES = sorted((GOLDEN / "csv").glob("*.csv"))
CODES = {"a": ALLOC, "f": FREE, "c": COMPACT}
# The same kernels compiled and not; with NUMBA_DISABLE_JIT=1 all functions are plain and there is one way to run.
RUNS = {"compiled": calls.run, "plain": calls.run.py_func} if JIT else {"plain": calls.run}


def allocator_of(file: Path) -> KernelAllocator:
    label = file.stem.rpartition(".")[0]
    if label.startswith("zsmalloc-6.12-c"):
        return Zsmalloc(chain=int(label.removeprefix("zsmalloc-6.12-c")))
    allocator: KernelAllocator = allocator_kit.make({"z3fold-6.1": "z3fold"}.get(label, label))
    return allocator


@cache
def batches(name: str) -> list[tuple[allocator_kit.Sequence, bool]]:
    """Stretches of operations in which no object is freed that was born in them; and whether a row follows.

    Such a stretch leaves the handle of every object that it allocates to be looked at, so refusals can be counted.
    """
    found: list[tuple[allocator_kit.Sequence, bool]] = []
    rows: list[tuple[int, int, int]] = []
    born: set[int] = set()

    def cut(row: bool) -> None:
        op, key, size = np.array(rows or np.empty((0, 3)), np.int64).T
        found.append((allocator_kit.Sequence(op.astype(np.uint8), key.copy(), size.copy()), row))
        rows.clear()
        born.clear()

    for line in gzip.decompress((GOLDEN / "ops" / f"{name}.ops.gz").read_bytes()).decode().splitlines():
        code, *numbers = line.split()
        if code == "s":
            cut(row=True)
            continue
        key, size = (*map(int, numbers), 0, 0)[:2]
        if key in born and code != "c":
            cut(row=False)
        rows.append((CODES[code], key, size))
        if code == "a":
            born.add(key)
    return found


def rows_of(allocator: KernelAllocator, name: str, run: Any) -> Iterator[dict[str, int]]:
    """The rows of the golden file, as our allocator gives them."""
    objects = 1 + max(int(sequence.key.max(initial=0)) for sequence, _ in batches(name))
    handle = np.full(objects, NIL, np.int64)
    sizes: dict[int, int] = {}
    ops = failed = 0
    for sequence, row in batches(name):
        allocator_kit.replay_into(allocator, sequence, handle, np.zeros(len(sequence.op), np.int64), run)
        ops += len(sequence.op)
        for op, key, size in zip(*(column.tolist() for column in sequence), strict=True):
            if op == ALLOC and handle[key] >= 0:
                sizes[key] = size
            elif op == ALLOC:
                failed += 1
            elif op == FREE:
                sizes.pop(key, None)
        if row:
            yield {
                "ops": ops,
                "live": len(sizes),
                "bytes": sum(sizes.values()),
                "failed": failed,
                **allocator.stats(),
            }


@pytest.mark.parametrize("mode", RUNS)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.removesuffix("-public.csv"))
def test_rows(file: Path, mode: str) -> None:
    expected = [{key: int(value) for key, value in row.items()} for row in csv.DictReader(file.open())]
    allocator = allocator_of(file)
    ours = list(rows_of(allocator, file.stem.rpartition(".")[2], RUNS[mode]))
    assert [{key: row[key] for key in expected[0]} for row in ours] == expected
    allocator.check()


def test_nothing_is_missing() -> None:
    assert len(FILES) == 90


@pytest.mark.parametrize("file", sorted((GOLDEN / "classes").glob("*.csv")), ids=lambda file: file.stem)
def test_size_classes(file: Path) -> None:
    era, _, chain = file.stem.removeprefix("classes-zsmalloc-").partition("-c")
    allocator: ZspageAllocator = Zsmalloc(era=era, chain=int(chain) if chain else None)
    expected = [tuple(map(int, row.values())) for row in csv.DictReader(file.open())]
    assert [tuple(c) for c in allocator.classes] == expected


@pytest.mark.parametrize(("config", "size"), [({"era": "6.1"}, 3257), ({"era": "6.12", "chain": 8}, 3625)])
def test_huge_size(config: dict[str, Any], size: int) -> None:
    allocator = Zsmalloc(**config)
    assert allocator.huge_size == size
    classes = [allocator.classes[int(allocator.state.class_of[request])] for request in (size - 1, size)]
    assert (classes[0].size < 4096, classes[1].size, classes[1].objs) == (True, 4096, 1)
