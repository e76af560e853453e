"""Equal to the kernels' own allocators in every row of tests/golden/allocators*, compiled and as plain Python."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
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
from allocators.zblock import TABLES
from allocators.zspages.allocator import ZspageAllocator
from allocators.zspages.zsmalloc import Zsmalloc

GOLDEN = Path(__file__).parent.parent / "golden" / "allocators"
FILES = sorted(GOLDEN.parent.glob("allocators*/csv/*.csv"))
PAGE_SIZES = {"allocators": 4096, "allocators-16k": 16384}
CODES = {"a": ALLOC, "f": FREE, "c": COMPACT}
# The same loop compiled and not; with NUMBA_DISABLE_JIT=1 all functions are plain and there is one way to run.
RUNS = {"compiled": batch.replay, "plain": plain(batch.replay)} if JIT else {"plain": batch.replay}


def allocator_of(file: Path) -> CompiledAllocator:
    label, page_size = file.stem.rpartition(".")[0], PAGE_SIZES[file.parent.parent.name]
    if label.startswith("zsmalloc-6.12-c"):
        return Zsmalloc(chain=int(label.removeprefix("zsmalloc-6.12-c")), page_size=page_size)
    allocator: CompiledAllocator = allocator_kit.make({"z3fold-6.1": "z3fold"}.get(label, label), page_size)
    return allocator


@cache
def stretches(file: Path) -> list[allocator_kit.Sequence]:
    """The operations of a sequence, cut where it asks for a row."""
    found: list[allocator_kit.Sequence] = []
    rows: list[tuple[int, int, int]] = []
    for line in gzip.decompress(file.read_bytes()).decode().splitlines():
        code, *numbers = line.split()
        if code == "s":
            op, key, size = np.array(rows or np.empty((0, 3)), np.int64).T
            found.append(allocator_kit.Sequence(op.astype(np.uint8), key.copy(), size.copy()))
            rows.clear()
        else:
            rows.append((CODES[code], *(*map(int, numbers), 0, 0)[:2]))
    return found


def rows_of(allocator: CompiledAllocator, file: Path, loop: Any) -> Iterator[dict[str, int]]:
    """The rows of the golden file, as our allocator gives them."""
    sequences = stretches(file.parent.parent / "ops" / f"{file.stem.rpartition('.')[2]}.ops.gz")
    objects = 1 + max(int(sequence.key.max(initial=0)) for sequence in sequences)
    run = allocator_kit.Run(allocator, objects, loop)
    sizes: dict[int, int] = {}
    ops = failed = 0
    for sequence in sequences:
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
@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.parent.name}-{file.stem}")
def test_rows(file: Path, mode: str) -> None:
    expected = [{key: int(value) for key, value in row.items()} for row in csv.DictReader(file.open())]
    allocator = allocator_of(file)
    ours = list(rows_of(allocator, file, RUNS[mode]))
    assert [{key: row[key] for key in expected[0]} for row in ours] == expected
    allocator.check()


def test_nothing_is_missing() -> None:
    folders = Counter(file.parent.parent.name for file in FILES)
    assert folders == {"allocators": 117, "allocators-16k": 32}


@pytest.mark.parametrize("file", sorted((GOLDEN / "classes").glob("*.csv")), ids=lambda file: file.stem)
def test_size_classes(file: Path) -> None:
    era, _, chain = file.stem.removeprefix("classes-zsmalloc-").partition("-c")
    allocator: ZspageAllocator = Zsmalloc(era=era, chain=int(chain) if chain else None)
    expected = [tuple(map(int, row.values())) for row in csv.DictReader(file.open())]
    assert [tuple(c) for c in allocator.classes] == expected


def test_block_types() -> None:
    expected = [tuple(row.values()) for row in csv.DictReader((GOLDEN / "block_types.csv").open())]
    ours = [
        (version, page_size, number, slots, pages, width, pages * page_size - table.header - slots * width)
        for version, tables in TABLES.items()
        for page_size, table in tables.items()
        for number, (width, slots, pages) in enumerate(table.types(page_size))
    ]
    assert sorted(tuple(map(str, row)) for row in ours) == sorted(expected)


@pytest.mark.parametrize(("config", "size"), [({"era": "6.1"}, 3257), ({"era": "6.12", "chain": 8}, 3625)])
def test_huge_size(config: dict[str, Any], size: int) -> None:
    allocator = Zsmalloc(**config)
    assert allocator.huge_size == size
    classes = [allocator.classes[int(allocator.state.class_of[request])] for request in (size - 1, size)]
    assert (classes[0].size < 4096, classes[1].size, classes[1].objs) == (True, 4096, 1)
