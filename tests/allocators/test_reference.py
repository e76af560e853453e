"""Equal to slow references written from the kernels' rules, after every operation of sequences of all kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import allocator_kit
import numpy as np
import pytest
from reference.xvmalloc import Xvmalloc
from reference.z3fold import Z3fold
from reference.zblock import Zblock
from reference.zbud import Zbud
from reference.zsmalloc import Zsmalloc

from allocators import TooLarge
from allocators.compiled.batch import ALLOC, FREE

REFERENCES: dict[str, Callable[[int], Any]] = {
    "zsmalloc-2012": lambda page_size: Zsmalloc("2012", page_size=page_size),
    "zsmalloc-3.19": lambda page_size: Zsmalloc("3.19", page_size=page_size),
    "zsmalloc-3.10": lambda page_size: Zsmalloc("3.10", page_size=page_size),
    "zsmalloc-4.1": lambda page_size: Zsmalloc("4.1", page_size=page_size),
    "zsmalloc-4.4": lambda page_size: Zsmalloc("4.4", page_size=page_size),
    "zsmalloc-2022-c8": lambda page_size: Zsmalloc("2022", 8, page_size),
    "zsmalloc-2022-c16": lambda page_size: Zsmalloc("2022", 16, page_size),
    "zsmalloc-6.2": lambda page_size: Zsmalloc("6.2", page_size=page_size),
    "zsmalloc-6.3-c8": lambda page_size: Zsmalloc("6.3", 8, page_size),
    "zsmalloc-6.6-lpae": lambda page_size: Zsmalloc("6.6", 4, page_size, 32, 40),
    "zsmalloc-4.4-pae": lambda page_size: Zsmalloc("4.4", 4, page_size, 32, 36),
    "zsmalloc-6.1": lambda page_size: Zsmalloc("6.1", page_size=page_size),
    "zsmalloc-6.12-c4": lambda page_size: Zsmalloc("6.12", 4, page_size),
    "zsmalloc-6.12-c8": lambda page_size: Zsmalloc("6.12", 8, page_size),
    "zsmalloc-6.12-c16": lambda page_size: Zsmalloc("6.12", 16, page_size),
    "zsmalloc-2012-lpae": lambda page_size: Zsmalloc("2012", 4, page_size, 32, 40),
    "zsmalloc-6.1-pae": lambda page_size: Zsmalloc("6.1", 4, page_size, 32, 36),
    "zsmalloc-6.12-lpae": lambda page_size: Zsmalloc("6.12", 8, page_size, 32, 40),
    "xvmalloc-a4": lambda page_size: Xvmalloc(4, page_size),
    "xvmalloc-a8": lambda page_size: Xvmalloc(8, page_size),
    "zbud-6.1": lambda page_size: Zbud("6.1", page_size),
    "zbud-zcache": lambda page_size: Zbud("zcache", page_size),
    "z3fold": Z3fold,
    "zblock-v2": lambda page_size: Zblock("v2", page_size),
    "zblock-v4": lambda page_size: Zblock("v4", page_size),
    "zblock-vmalloc": lambda page_size: Zblock("vmalloc", page_size),
}


def replayed(reference: Any, sequence: allocator_kit.Sequence) -> list[int]:
    handles: dict[int, int | None] = {}
    pages = []
    for op, key, size in zip(*(column.tolist() for column in sequence), strict=True):
        if op == ALLOC:
            handles[key] = reference.alloc(size)
        elif op == FREE:
            handle = handles.pop(key)
            if handle is not None:
                reference.free(handle)
        else:
            reference.compact()
        pages.append(reference.pages)
    return pages


@pytest.mark.parametrize(
    ("label", "page_size"),
    [(label, size) for label in REFERENCES if label.startswith("zblock") for size in allocator_kit.page_sizes(label)],
)
def test_an_object_of_a_slot_s_size_goes_one_type_of_block_up(label: str, page_size: int) -> None:
    reference = Zblock(label.removeprefix("zblock-"), page_size)
    allocator = allocator_kit.make(label, page_size)
    types = allocator.size_class_of(np.arange(page_size + 1)).tolist()
    assert types == [
        next((i for i, width in enumerate(reference.width) if size < width and size < page_size), len(reference.width))
        for size in range(page_size + 1)
    ]
    borders = sorted({size for width in (*reference.width, page_size) for size in (width - 1, width, width + 1)})
    for size in borders:
        allocator, reference = allocator_kit.make(label, page_size), Zblock(label.removeprefix("zblock-"), page_size)
        handles = [reference.alloc(size), reference.alloc(size)]
        if None in handles:
            with pytest.raises(TooLarge):
                allocator.alloc(size)
            continue
        ours = [allocator.alloc(size), allocator.alloc(size)]
        assert allocator.pages == reference.pages
        for handle in ours:
            allocator.free(handle)
        assert allocator.pages == 0


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("label", "page_size"),
    [(label, page_size) for label in REFERENCES for page_size in allocator_kit.page_sizes(label)],
)
def test_pages_after_every_operation(label: str, page_size: int, seed: int) -> None:
    sequence = allocator_kit.random_sequence(seed * 1000 + page_size, 1500, page_size=page_size)
    allocator = allocator_kit.make(label, page_size)
    assert allocator_kit.replay(allocator, sequence).tolist() == replayed(REFERENCES[label](page_size), sequence)
    allocator.check()
