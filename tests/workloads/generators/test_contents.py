"""Every kind of contents: a page is the same whenever it is asked for; and each compresses as it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lz4.block
import msgspec
import numpy as np
import pytest

from sim.plugins import COMPRESSORS
from workloads import OUT, open_sample
from workloads.generators.contents import CONTENTS
from workloads.generators.contents.base import Content, Place, Pool
from workloads.generators.contents.sizes import shipped
from workloads.generators.draws import Draws

EXAMPLES: dict[str, dict[str, Any]] = {
    "corpus": {"from": "redis-sample"},
    "entropy": {"bits": 3.5},
    "sizes": {"sizes": "usr-lib"},
}


def concrete(cls: type[Content]) -> set[type[Content]]:
    below = {c for sub in cls.__subclasses__() for c in concrete(sub)}
    return below | ({cls} if hasattr(cls, "name") else set())


def pool(kind: str, seed: int = 0, page_size: int = 4096, file: Path = Path("r.toml"), **keys: Any) -> Pool:
    content = msgspec.convert(keys or EXAMPLES.get(kind, {}), CONTENTS[kind])
    return content.pool(Place(file, page_size, 500, Draws("test", seed)))


def lz4_mean(pages: np.ndarray) -> float:
    return float(np.mean([len(lz4.block.compress(page.tobytes(), store_size=False)) for page in pages]))


def test_every_kind_is_in_the_table() -> None:
    assert set(CONTENTS.values()) == concrete(Content)
    assert all(CONTENTS[kind].name == kind for kind in CONTENTS)


@pytest.mark.parametrize("kind", CONTENTS)
def test_a_page_is_the_same_whenever_it_is_asked_for(kind: str) -> None:
    one, order = pool(kind), np.arange(700)
    numbers = np.unique(one.numbers(order, Draws("luck").words(700)))
    assert 0 <= numbers.min() <= numbers.max() < 1 << 40
    if not one.paged:
        assert np.array_equal(one.sizes(numbers)[3:], pool(kind).sizes(numbers[3:]))
        return
    pages = one.pages(numbers)
    assert pages.dtype == np.uint8
    assert pages.shape == (len(numbers), 4096)
    some = numbers[::3]
    assert np.array_equal(pool(kind).pages(some), pages[::3])
    other = pool(kind, seed=1).pages(numbers)
    assert kind in ("zero", "corpus") or not np.array_equal(other, pages)


@pytest.mark.parametrize("kind", [kind for kind in CONTENTS if kind not in ("corpus", "sizes")])
@pytest.mark.parametrize("page_size", [64, 16384])
def test_pages_of_other_sizes(kind: str, page_size: int) -> None:
    assert pool(kind, page_size=page_size).pages(np.arange(3)).shape == (3, page_size)


def test_pages_are_written_in_turn() -> None:
    made = pool("text", pages=3)
    assert made.numbers(np.arange(5), Draws("x").words(5)).tolist() == [0, 1, 2, 0, 1]


@pytest.mark.parametrize("ratio", [0.1, 0.4, 0.9])
def test_entropy_has_its_ratio(ratio: float) -> None:
    assert lz4_mean(pool("entropy", ratio=ratio).pages(np.arange(60))) / 4096 == pytest.approx(ratio, abs=0.03)
    between = pool("entropy", ratio=[ratio / 2, ratio]).pages(np.arange(300))
    assert lz4_mean(between) / 4096 == pytest.approx(0.75 * ratio, abs=0.04)


@pytest.mark.parametrize("bits", [0, 2, 4.5, 8])
def test_entropy_has_its_bits(bits: float) -> None:
    share = np.bincount(pool("entropy", bits=bits).pages(np.arange(20)).ravel()) / (20 * 4096)
    assert -(share * np.log2(share)).sum() == pytest.approx(bits, abs=0.05)


def test_text_compresses_as_published_text_did() -> None:
    """At 75 % by LZO, as the text of the zcache comparison of September 2011."""
    pages = pool("text").pages(np.arange(60))
    lzo = COMPRESSORS.make("lzo")
    assert np.mean([len(lzo.compress(page.tobytes())) for page in pages]) / 4096 == pytest.approx(0.75, abs=0.02)
    text = pages.tobytes().decode("ascii")
    assert set(text) <= set("abcdefghijklmnopqrstuvwxyz \n")
    assert lz4_mean(pool("text", words=50).pages(np.arange(60))) < 0.75 * lz4_mean(pages)


def test_pointers_have_their_shares() -> None:
    words = pool("pointers", pointers=0.5, small=0.2, heap=1).pages(np.arange(60)).view("<u8")
    high = words[words > 255]
    assert len(high) / words.size == pytest.approx(0.5, abs=0.02)
    assert (words == 0).mean() == pytest.approx(0.3, abs=0.02)
    assert int(high.max() - high.min()) < 1 << 20
    assert not (high % np.uint64(16)).any()


def test_filled_pages_are_filled_and_their_sizes_are_those_of_lz4() -> None:
    for kind, values in (("zero", 1), ("same", 16)):
        made = pool(kind)
        numbers = np.unique(made.numbers(np.arange(99), Draws("x").words(99)))
        pages = made.pages(numbers).view("<u8")
        assert len(np.unique(pages[:, 0])) == values
        assert (pages == pages[:, :1]).all()
        assert made.sizes(numbers).mean() == lz4_mean(pages.view(np.uint8))
        same, zero = made.filled(numbers)
        assert (bool(same.all()), bool(zero.all())) == (True, kind == "zero")


@pytest.mark.parametrize("name", shipped())
def test_shipped_sizes_follow_what_was_published(name: str) -> None:
    sizes, given = pool("sizes", sizes=name).sizes(np.arange(40_000)), shipped()[name]
    assert 1 <= sizes.min() <= sizes.max() <= 4096
    if given.counts:
        share = np.bincount((sizes - given.low) // given.width, minlength=16) / len(sizes)
        assert share == pytest.approx(np.array(given.counts) / sum(given.counts), abs=0.01)
    else:
        assert sizes.mean() == pytest.approx(given.mean, rel=0.02)
        assert sizes.std() == pytest.approx(given.sd, rel=0.02)


def test_a_corpus_is_resampled_by_its_page_outs() -> None:
    sample = open_sample("redis")
    made = pool("corpus")
    numbers = made.numbers(np.arange(20_000), Draws("x").words(20_000))
    outs = np.concatenate([batch.page[batch.kind == OUT] for batch in sample.batches()])
    often = int(np.bincount(outs).argmax())
    assert (numbers == often).mean() == pytest.approx((outs == often).mean(), abs=0.01)
    some = np.unique(numbers)[::7]
    assert np.array_equal(made.pages(some), np.concatenate([sample.page_array(i, i + 1) for i in some.tolist()]))


def test_a_corpus_may_be_raw_pages(tmp_path: Path) -> None:
    pages = np.arange(3 * 4096, dtype=np.uint32).astype(np.uint8).reshape(3, 4096) ^ np.uint8([[1], [2], [3]])
    (tmp_path / "p.bin").write_bytes(pages.tobytes())
    made = pool("corpus", file=tmp_path / "r.toml", **{"from": "p.bin"})
    assert np.array_equal(made.pages(np.arange(3)), pages)
    assert made.origin == tmp_path / "p.bin"
