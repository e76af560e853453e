"""Eras and 32-bit kernels: which release has which rules, and how small a size class can be."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import allocator_kit
import numpy as np
import pytest

from allocators import AllocatorError
from allocators.compiled.batch import ALLOC, COMPACT, FREE
from allocators.eras import covering
from allocators.zspages import classes
from allocators.zspages.zsmalloc import Zsmalloc
from sim.parameters import parameters
from sim.plugins import ALLOCATORS, FRONTENDS, make_allocator

MODELS = Path(__file__).parents[2] / "docs" / "models.md"
BY_ERA = {
    name: family.find(name)
    for family in (ALLOCATORS, FRONTENDS)
    for name in family.names()
    if "era" in parameters(family.find(name))
}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("zsmalloc:era=5.10", "Linux 4.8 to 6.1 has the rules of era=6.1; give era=6.1"),
        ("zsmalloc:era=3.18", "Linux 3.9 to 3.18 has the rules of era=3.10; give era=3.10"),
        ("zsmalloc:era=4.2.8", "Linux 4.1 to 4.2 has the rules of era=4.1; give era=4.1"),
        ("zsmalloc:era=4.7", "Linux 4.3 to 4.7 has the rules of era=4.4; give era=4.4"),
        ("zsmalloc:era=6.4", "Linux 6.4 to 6.8 has the rules of era=6.6; give era=6.6"),
        ("zsmalloc:era=v6.18.44", "Linux 6.9 on has the rules of era=6.12; give era=6.12"),
        ("zsmalloc:era=2.6.32", "no rules of zsmalloc for Linux 2.6.32 are known; give era=2012 (Linux 3.4 to 3.8)"),
        (
            "zsmalloc:era=new",
            "era=6.1 (Linux 4.8 to 6.1), era=6.2 (Linux 6.2), era=2022 (in no release), era=6.3 (Linux 6.3)",
        ),
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
        ("zram:era=5.10", "Linux 4.17 to 6.13 is nearest to era=6.18, but its post-processing was not compared"),
        ("zram:era=4.4", "Linux 3.14 to 4.10 has the rules of era=4.9; give era=4.9"),
        ("zram:era=6.16", "Linux 6.14 to 6.16 has the rules of era=6.14; give era=6.14"),
        ("zram:era=3.2", "Linux 2.6.37 to 3.5 has the rules of era=2012"),
        ("zram:era=2.6.32", "no rules of zram for Linux 2.6.32 are known"),
        ("zswap:era=4.14", "Linux 3.17 to 4.17 is nearest to era=5.4, but it takes a page as soon as one is reclaimed"),
        ("zswap:era=6.17", "Linux 6.12 to 6.17 has the rules of era=6.12; give era=6.12"),
        ("zswap:era=6.11", "Linux 6.10 to 6.11 has the rules of era=6.10"),
        ("zswap:era=5.15", "Linux 5.6 to 6.4 has the rules of era=6.1; give era=6.1"),
        ("zswap:era=3.11", "no rules of zswap for Linux 3.11 are known"),
    ],
)
def test_an_unknown_era_of_a_frontend_is_answered_too(spec: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        FRONTENDS.make(spec)


def test_releases_are_numbers_not_texts() -> None:
    spans = classes.RELEASES
    found = {release: covering(release, spans) for release in ("6.2", "6.2.16", "6.10", "6.1-rc3", "7.2.13", "4.7")}
    assert {release: span and span.era for release, span in found.items()} == {
        **{"6.2": "6.2", "6.2.16": "6.2", "6.10": "6.12", "6.1-rc3": "6.1", "7.2.13": "6.12", "4.7": "4.4"}
    }
    assert covering("3.3", spans) is None


@pytest.mark.parametrize("page_size", [4096, 16384])
@pytest.mark.parametrize(
    ("era", "counts"), [("2022", (69, 123, 191)), ("6.3", (69, 119, 192)), ("6.12", (69, 119, 192))]
)
def test_size_classes_by_chain(era: str, counts: tuple[int, ...], page_size: int) -> None:
    """As many as the patches of October 2022 and of January 2023 (merged in 6.3) say, at 4 KiB."""
    made = tuple(len(Zsmalloc(era=era, chain=chain, page_size=page_size).classes) for chain in (4, 8, 16))
    assert (made == counts) == (page_size == 4096)


def test_era_2022_is_6_1_with_other_chains() -> None:
    assert Zsmalloc(era="2022").classes == Zsmalloc(era="6.1").classes
    assert Zsmalloc(era="2022").chain == 4
    assert Zsmalloc(era="2022", chain=16).huge_size == 3833
    with pytest.raises(AllocatorError, match=r"chain=8 needs era=6.12, or era=2022 .* era=4.4 has 4 built in"):
        make_allocator("zsmalloc:era=4.4,chain=8")


ALIKE = {("2012", "3.10"), ("6.1", "6.2"), ("6.2", "2022"), ("6.6", "6.12")}  # at 4 KiB, 64 bits and the default chain


@pytest.mark.parametrize(("era", "other"), [*pairwise(classes.ERAS), ("4.4", "2022"), ("6.1", "6.3")])
def test_neighbours_differ(era: str, other: str) -> None:
    """Each era has a rule of its own: no sequence of operations tells two apart that are alike, and many the others."""
    chain = {"chain": 8} if {era, other} <= {"2022", "6.3"} else {}
    assert any(differ(era, other, seed, chain) for seed in range(10)) == ((era, other) not in ALIKE)


def differ(era: str, other: str, seed: int, chain: dict[str, int]) -> bool:
    one, two = (allocator_kit.replay(Zsmalloc(era=which, **chain), churn(seed)) for which in (era, other))
    return not np.array_equal(one, two)


def churn(seed: int) -> allocator_kit.Sequence:
    """Zspages of a few classes, some of which merge, compacted now and then: only what that puts back is emptier."""
    rng = np.random.default_rng(seed)
    sizes = [1000, 1400, 1450, 1600, 2400, 3200]
    ops, live = [], []
    for key in range(6000):
        kind = rng.random()
        if kind < 0.005:
            ops.append((COMPACT, 0, 0))
        elif not live or kind < (0.8 if len(live) < 200 else 0.5):
            live.append(key)
            ops.append((ALLOC, key, int(rng.choice(sizes))))
        else:
            ops.append((FREE, live.pop(int(rng.integers(len(live)))), 0))
    op, key, size = np.array(ops, np.int64).T
    return allocator_kit.Sequence(op.astype(np.uint8), key.copy(), size.copy())


def test_the_table_of_releases_in_the_docs_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\S.*?) \| (.*?) \|$", MODELS.read_text(), re.MULTILINE)
    told = [(model, releases, answer) for model, releases, answer in rows if model in BY_ERA and "era=" in answer]
    ours = []
    for model, cls in BY_ERA.items():
        for span in cls.releases:
            answer = f"nearest: `era={span.era}`, but {span.differs}" if span.differs else f"`era={span.era}`"
            ours.append((model, str(span), answer))
    assert sorted(told) == sorted(ours)


@pytest.mark.parametrize("model", BY_ERA)
def test_every_era_has_releases_and_no_release_two(model: str) -> None:
    cls = BY_ERA[model]
    assert len(cls.releases) > 1
    for span in cls.releases:
        assert cls(era=span.era).config.get("era", span.era) == span.era
        assert covering(span.first, cls.releases) == span
        assert covering(span.last or "99.0", cls.releases) == span


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
        ({"bits": 32, "physmem_bits": 40, "era": "6.6"}, 4096),
        ({"bits": 32, "physmem_bits": 40, "era": "3.19"}, 1024),
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


@pytest.mark.parametrize(("era", "chain"), [("6.12", 16), ("6.6", 8), ("6.3", 8), ("2022", 8)])
def test_a_single_class_makes_every_object_huge(era: str, chain: int) -> None:
    allocator = Zsmalloc(era=era, chain=chain, bits=32, physmem_bits=40)
    assert [(c.size, c.pages, c.objs) for c in allocator.classes] == [(4096, 1, 1)]
    assert allocator.huge_size == 0  # zs_huge_class_size: no class has both several pages and several objects


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("zsmalloc:bits=16", "bits=16 is unknown; use 32 or 64"),
        ("zsmalloc:physmem_bits=40", "leave it out, or add bits=32"),
        ("zsmalloc:era=6.6,chain=16,bits=32,physmem_bits=40", "makes the smallest class 8192 bytes, more than a page"),
        ("zsmalloc:bits=32,physmem_bits=48", "physmem_bits=48 is out of range; use 32 to 40"),
    ],
)
def test_what_makes_no_sense_of_bits(spec: str, said: str) -> None:
    with pytest.raises(AllocatorError, match=re.escape(said)):
        make_allocator(spec)
