"""Sizes with units, and ranges of numbers in specs."""

from __future__ import annotations

import pytest

from sim.errors import SpecError
from sim.experiment.description import Experiment
from sim.plugins import ALLOCATORS, COMPRESSORS, FRONTENDS, GENERATORS
from sim.units import bytes_of, has_unit, mib_text, size_text


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4096", 4096),
        ("0", 0),
        ("4096B", 4096),
        ("40M", 40 << 20),
        ("1G", 1 << 30),
        ("1.5G", 3 << 29),
        ("1T", 1 << 40),
        ("64KiB", 65536),
        ("64 KiB", 65536),
        ("256mib", 256 << 20),
        ("2GB", 2 << 30),
        ("0.5k", 512),
        ("1.1K", 1126),  # a fraction of a byte is cut off
        ("1.5", None),
        ("-1M", None),
        ("1e6", None),
        ("M", None),
        ("12X", None),
        ("4iB", None),
        ("1,000", None),
        ("", None),
    ],
)
def test_sizes(text: str, size: int | None) -> None:
    assert bytes_of(text) == size
    assert has_unit(text) == (size is not None and not text.isdigit())


def test_sizes_as_text_read_back() -> None:
    for size in (0, 1, 4096, 6144, 1 << 20, 3 << 29, (1 << 30) + 1):
        assert bytes_of(size_text(size)) == size
    assert [size_text(size) for size in (0, 4096, 6144, 3 << 29)] == ["0", "4K", "6K", "1536M"]


def test_mebibytes_and_below_one_kibibytes() -> None:
    assert [mib_text(size) for size in (0, 12288, 1 << 20, 3 << 19, 400 << 20)] == ["0M", "12K", "1M", "1.5M", "400M"]
    pages = [mib_text(1 << shift | 12288) for shift in (20, 23, 30, 40)]
    assert pages == ["1036K", "8204K", "1048588K", "1073741836K"]
    assert [bytes_of(text) for text in pages] == [1 << shift | 12288 for shift in (20, 23, 30, 40)]


def test_parameters_in_bytes_take_units() -> None:
    assert FRONTENDS.make("zram:mem_limit=256M").spec == f"zram:mem_limit={256 << 20}"
    assert FRONTENDS.make("zram:mem_limit=6144").config == {"mem_limit": 6144}
    assert FRONTENDS.make("zram:recompress=zstd,threshold=1K").config["threshold"] == 1024
    assert GENERATORS.make("uniform:low=1K,high=2K,page_size=16K").trace().page_size == 16384
    assert GENERATORS.make("bell:mean=1.5K").mean == 1536.0  # type: ignore[attr-defined]
    assert Experiment(page_sizes=("16K", 4096)).page_sizes == (16384, 4096)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("family", "spec", "specs"),
    [
        (ALLOCATORS, "zsmalloc:chain=4..6", ["chain=4", "chain=5", "chain=6"]),
        (ALLOCATORS, "zsmalloc:chain=4..16:4", ["chain=4", "chain=8", "chain=12", "chain=16"]),
        (ALLOCATORS, "zsmalloc:chain=4..10:4", ["chain=4", "chain=8"]),
        (ALLOCATORS, "zsmalloc:era=6.12,chain=7..8", ["era=6.12,chain=7", "era=6.12,chain=8"]),
        (COMPRESSORS, "zstd:level=-2..1", ["level=-2", "level=-1", "level=0", "level=1"]),
        (GENERATORS, "random:ratio=0.2..0.4:0.1,seed=1..1", [f"ratio={r},seed=1" for r in ("0.2", "0.3", "0.4")]),
        (FRONTENDS, "zram:mem_limit=1M..2M:512K", [f"mem_limit={n}" for n in (1 << 20, 3 << 19, 2 << 20)]),
        (ALLOCATORS, "zsmalloc", None),
        (ALLOCATORS, "zsmalloc:chain=4..x", None),
        (FRONTENDS, "zram:recompress=zstd:level=1..3", None),
    ],
)
def test_ranges(family: object, spec: str, specs: list[str] | None) -> None:
    found = family.expand(spec)  # type: ignore[attr-defined]
    name = spec.partition(":")[0]
    assert found == ([spec] if specs is None else [f"{name}:{one}" for one in specs])


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (
            "zsmalloc:chain=16..4",
            "chain=16..4 is no range; write FIRST..LAST or FIRST..LAST:STEP, the smaller",
        ),
        ("zsmalloc:chain=4..16:0", "is no range"),
        ("zsmalloc:chain=4..16:x", "is no range"),
        ("zsmalloc:chain=1..2000", "more than 1,000 specs"),
        ("zsmalloc:era=6.1..6.12", "there are ranges of numbers only; give each era in a spec of its own"),
    ],
)
def test_what_is_no_range(spec: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        ALLOCATORS.expand(spec)
    assert said in str(caught.value)


def test_ranges_that_need_a_step() -> None:
    for family, spec in ((GENERATORS, "random:ratio=0.2..0.8"), (FRONTENDS, "zram:mem_limit=64M..256M")):
        with pytest.raises(SpecError, match="needs a step; write "):
            family.expand(spec)  # type: ignore[attr-defined]


def test_an_experiment_has_a_spec_of_each() -> None:
    made = Experiment(
        ("bell:seed=1..2", "gcc"),
        allocators=("zsmalloc:chain=4..5", "ideal"),
        compressors="zstd:level=1..2",  # type: ignore[arg-type]
        frontends=("zswap:max_pool_percent=20..40:20",),
    )
    assert made.traces == ("bell:seed=1", "bell:seed=2", "gcc")
    assert made.allocators == ("zsmalloc:chain=4", "zsmalloc:chain=5", "ideal")
    assert made.compressors == ("zstd:level=1", "zstd:level=2")
    assert made.frontends == ("zswap:max_pool_percent=20", "zswap:max_pool_percent=40")
