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

from allocators import CompiledAllocator
from allocators.compiled import batch
from allocators.compiled.batch import ALLOC, COMPACT, FREE
from allocators.compiled.jit import JIT, plain
from allocators.zspages.allocator import ZspageAllocator
from allocators.zspages.zsmalloc import Zsmalloc

GOLDEN = Path(__file__).parent.parent / "golden" / "allocators"
FILES = sorted((GOLDEN / "csv").glob("*.csv"))
CODES = {"a": ALLOC, "f": FREE, "c": COMPACT}
# The same loop compiled and not; with NUMBA_DISABLE_JIT=1 all functions are plain and there is one way to run.
RUNS = {"compiled": batch.replay, "plain": plain(batch.replay)} if JIT else {"plain": batch.replay}


def allocator_of(file: Path) -> CompiledAllocator:
    label = file.stem.rpartition(".")[0]
    if label.startswith("zsmalloc-6.12-c"):
        return Zsmalloc(chain=int(label.removeprefix("zsmalloc-6.12-c")))
    allocator: CompiledAllocator = allocator_kit.make({"z3fold-6.1": "z3fold"}.get(label, label))
    return allocator


@cache
def stretches(name: str) -> list[allocator_kit.Sequence]:
    """The operations of a file, cut where it asks for a row."""
    found: list[allocator_kit.Sequence] = []
    rows: list[tuple[int, int, int]] = []
    for line in gzip.decompress((GOLDEN / "ops" / f"{name}.ops.gz").read_bytes()).decode().splitlines():
        code, *numbers = line.split()
        if code == "s":
            op, key, size = np.array(rows or np.empty((0, 3)), np.int64).T
            found.append(allocator_kit.Sequence(op.astype(np.uint8), key.copy(), size.copy()))
            rows.clear()
        else:
            rows.append((CODES[code], *(*map(int, numbers), 0, 0)[:2]))
    return found


def rows_of(allocator: CompiledAllocator, name: str, loop: Any) -> Iterator[dict[str, int]]:
    """The rows of the golden file, as our allocator gives them."""
    objects = 1 + max(int(sequence.key.max(initial=0)) for sequence in stretches(name))
    run = allocator_kit.Run(allocator, objects, loop)
    sizes: dict[int, int] = {}
    ops = failed = 0
    for sequence in stretches(name):
        handles, _ = run(sequence)
        ops += len(sequence.op)
        for op, key, size, handle in zip(*(column.tolist() for column in (*sequence, handles)), strict=True):
            if op == ALLOC and handle >= 0:
                sizes[key] = size
            elif op == ALLOC:
                failed += 1
            elif op == FREE:
                sizes.pop(key, None)
        yield {"ops": ops, "live": len(sizes), "bytes": sum(sizes.values()), "failed": failed, **allocator.stats()}


@pytest.mark.parametrize("mode", RUNS)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.removesuffix("-public.csv"))
def test_rows(file: Path, mode: str) -> None:
    expected = [{key: int(value) for key, value in row.items()} for row in csv.DictReader(file.open())]
    allocator = allocator_of(file)
    ours = list(rows_of(allocator, file.stem.rpartition(".")[2], RUNS[mode]))
    assert [{key: row[key] for key in expected[0]} for row in ours] == expected
    allocator.check()


def test_nothing_is_missing() -> None:
    assert len(FILES) >= 90


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
