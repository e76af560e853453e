"""Eras and 32-bit kernels: which release has which rules, and how small a size class can be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from allocators import AllocatorError, zbud
from allocators.eras import covering
from allocators.zspages import classes
from allocators.zspages.zsmalloc import Zsmalloc
from sim.frontends import zswap
from sim.frontends.zram import frontend as zram
from sim.plugins import FRONTENDS, make_allocator

MODELS = Path(__file__).parents[2] / "docs" / "models.md"
SPANS = {"zsmalloc": classes, "zbud": zbud, "zram": zram, "zswap": zswap}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("zsmalloc:era=5.10", "Linux 4.8 to 6.2 has the rules of era=6.1; give era=6.1"),
        ("zsmalloc:era=v6.18.44", "Linux 6.4 on has the rules of era=6.12; give era=6.12"),
        ("zsmalloc:era=6.3", "Linux 6.3 is nearest to era=6.12, but its fullness groups are those of 6.1"),
        ("zsmalloc:era=2.6.32", "no rules of zsmalloc for Linux 2.6.32 are known; give era=2012 (Linux 3.3 to 3.18)"),
        ("zsmalloc:era=new", "give era=2012 (Linux 3.3 to 3.18), era=6.1 (Linux 4.8 to 6.2), era=6.12 (Linux 6.4 on)"),
        ("zbud:era=5.10", "Linux 3.11 to 6.14 has the rules of era=6.1; give era=6.1"),
        ("zbud:era=6.18", "no rules of zbud for Linux 6.18 are known"),
    ],
)
def test_an_unknown_era_of_an_allocator_is_answered_with_the_one_to_take(spec: str, said: str) -> None:
    with pytest.raises(AllocatorError) as caught:
        make_allocator(spec)
    assert said in str(caught.value)
    assert str(caught.value).startswith(spec.replace(":", ": ") + " is unknown; ")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("zram:era=5.10", "Linux 4.14 to 6.17 is nearest to era=6.18, but it was not compared with these releases"),
        ("zram:era=3.2", "Linux 2.6.37 to 3.5 has the rules of era=2012"),
        ("zram:era=2.6.32", "no rules of zram for Linux 2.6.32 are known"),
        ("zswap:era=6.12", "Linux 6.12 to 6.17 is nearest to era=6.18, but it refuses pages that do not compress"),
        ("zswap:era=6.11", "Linux 6.10 to 6.11 has the rules of era=6.10"),
        ("zswap:era=5.15", "no rules of zswap for Linux 5.15 are known"),
    ],
)
def test_an_unknown_era_of_a_frontend_is_answered_too(spec: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        FRONTENDS.make(spec)


def test_releases_are_numbers_not_texts() -> None:
    spans = classes.RELEASES
    found = {release: covering(release, spans) for release in ("6.2", "6.2.16", "6.10", "6.1-rc3", "7.2.13", "4.7")}
    assert {release: span and span.era for release, span in found.items()} == {
        **{"6.2": "6.1", "6.2.16": "6.1", "6.10": "6.12", "6.1-rc3": "6.1", "7.2.13": "6.12", "4.7": "6.1"}
    }
    assert covering("3.2", spans) is None


def test_the_table_of_releases_in_the_docs_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\S.*?) \| (.*?) \|$", MODELS.read_text(), re.MULTILINE)
    told = {(model, releases, answer) for model, releases, answer in rows if model in SPANS and "era=" in answer}
    ours = set()
    for model, module in SPANS.items():
        for span in module.RELEASES:
            answer = f"nearest: `era={span.era}`, but {span.differs}" if span.differs else f"`era={span.era}`"
            ours.add((model, str(span), answer))
    assert told == ours


@pytest.mark.parametrize(
    ("config", "smallest"),
    [
        ({}, 32),
        ({"bits": 32}, 32),
        ({"bits": 32, "physmem_bits": 34}, 32),
        ({"bits": 32, "physmem_bits": 36}, 128),  # 8 pages << 12 >> 8
        ({"bits": 32, "physmem_bits": 40}, 2048),  # 8 pages << 12 >> 4
        ({"bits": 32, "physmem_bits": 40, "chain": 4}, 1024),
        ({"bits": 32, "physmem_bits": 40, "chain": 16}, 4096),
        ({"bits": 32, "physmem_bits": 36, "era": "6.1"}, 128),  # one bit less for the index: 4 pages << 12 >> 7
        ({"bits": 32, "physmem_bits": 40, "era": "6.1"}, 2048),
        ({"bits": 32, "physmem_bits": 40, "era": "2012"}, 1024),
    ],
)
def test_the_smallest_class_is_what_the_bits_of_a_handle_can_number(config: dict[str, object], smallest: int) -> None:
    # Classes merge upward, so that the first one holds the smallest size, and as many objects as that allows.
    first = Zsmalloc(**config).classes[0]  # type: ignore[arg-type]
    assert smallest <= first.size
    assert first.objs == max(1, first.pages * 4096 // smallest)


def test_objects_of_500_bytes_on_a_kernel_with_lpae() -> None:
    for config, pages in (({}, 125), ({"bits": 32}, 125), ({"bits": 32, "physmem_bits": 40}, 500)):
        allocator = Zsmalloc(**config)  # type: ignore[arg-type]
        for _ in range(1000):
            allocator.alloc(500)
        assert allocator.pages == pages, config
        allocator.check()


def test_a_single_class_makes_every_object_huge() -> None:
    allocator = Zsmalloc(chain=16, bits=32, physmem_bits=40)
    assert [(c.size, c.pages, c.objs) for c in allocator.classes] == [(4096, 1, 1)]
    assert allocator.huge_size == 0  # zs_huge_class_size: no class has both several pages and several objects


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("zsmalloc:bits=16", "bits=16 is unknown; use 32 or 64"),
        ("zsmalloc:physmem_bits=40", "leave it out, or add bits=32"),
        ("zsmalloc:bits=32,physmem_bits=48", "physmem_bits=48 is out of range; use 32 to 40"),
    ],
)
def test_what_makes_no_sense_of_bits(spec: str, said: str) -> None:
    with pytest.raises(AllocatorError, match=re.escape(said)):
        make_allocator(spec)
