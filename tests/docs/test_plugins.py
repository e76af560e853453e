"""The compiled allocator and the compiled frontend of docs/plugins.md: they work as they say, compiled and plain."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from allocators import NoMemory, PageZone, TooLarge
from allocators.compiled import batch
from allocators.compiled.jit import plain
from sim import Experiment, run
from sim.plugins import ALLOCATORS, FRONTENDS, GENERATORS, make_allocator

DOCS = Path(__file__).parents[2] / "docs"
WORKLOAD = "bell:events=3000,slots=1500"


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True, scope="module")
def _plugins() -> Iterator[None]:
    loaded("compiled_allocator")
    loaded("compiled_frontend")
    yield
    del ALLOCATORS._registered["whole"], FRONTENDS._registered["picky"]


def test_the_allocator_holds_a_page_an_object() -> None:
    made = {loop: make_allocator("whole") for loop in (batch.replay, plain(batch.replay))}
    rng = np.random.default_rng(0)
    op = np.repeat([batch.ALLOC, batch.FREE, batch.ALLOC], 1500).astype(np.uint8)  # the arrays have room for 1024
    key = np.concatenate([np.arange(1500), rng.permutation(1500), np.arange(1500)])
    size = rng.integers(1, 4097, len(op))
    for loop, allocator in made.items():
        pages = np.zeros(len(op), np.int64)
        allocator.drive(loop, len(op), op, key, size, np.full(1500, -1), np.zeros(len(op), np.int64), pages)
        assert pages.tolist() == [*range(1, 1501), *range(1499, -1, -1), *range(1, 1501)]
        assert allocator.zone is not None
        allocator.zone.check()


def test_the_allocator_refuses() -> None:
    allocator = make_allocator("whole", zone=PageZone(1))
    for size in (0, 4097):
        with pytest.raises(TooLarge):
            allocator.alloc(size)
    handle = allocator.alloc(4096)
    with pytest.raises(NoMemory):
        allocator.alloc(1)
    allocator.free(handle)
    assert allocator.pages == 0


def test_both_are_in_experiments() -> None:
    experiment = Experiment(
        (WORKLOAD,), allocators=("whole", "ideal"), compressors=("lz4",), frontends=("raw", "picky", "picky:percent=40")
    )
    density = run(experiment).density.set_index(["frontend", "allocator"])
    sizes = GENERATORS.find("bell")(events=3000, slots=1500).trace().sizes("given")
    assert sizes is not None
    assert (density.loc["raw", "whole"]["density"], density.loc["raw", "whole"]["refused"]) == (1, 0)
    refused = density["refused"]
    assert 0 < refused["picky", "whole"] == refused["picky", "ideal"] < refused["picky:percent=40", "ideal"]
    assert FRONTENDS.make("picky:percent=50").spec == "picky"
