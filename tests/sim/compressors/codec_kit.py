"""What the tests of the compressors share: golden pages, contents of every kind."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import zstandard
from hypothesis import strategies as st
from numpy.typing import NDArray

from sim.compressors.base import Pages

PAGE = 4096
HUGE = 3625
EXACT = ("lz4", "lzo", "lzo-rle")
_GOLDEN = Path(__file__).parents[2] / "golden" / "zram"


def golden_pages() -> Pages:
    packed = (_GOLDEN / "public.bin.zst").read_bytes()
    raw = zstandard.ZstdDecompressor().decompress(packed, max_output_size=1 << 24)
    return np.frombuffer(raw, np.uint8).reshape(-1, PAGE)


def golden_sizes(name: str) -> NDArray[np.int64]:
    """The sizes a live kernel stored: 0 for same-filled pages, 4096 for those that did not compress."""
    with (_GOLDEN / "public.sizes.csv").open() as rows:
        return np.array([int(row[name]) for row in csv.DictReader(rows)])


def as_stored(pages: Pages, sizes: NDArray[np.int32]) -> NDArray[np.int64]:
    """What zram stores of pages that compress to these sizes."""
    words = pages.view(np.uint64)
    same_filled = (words == words[:, :1]).all(axis=1)
    return np.where(same_filled, 0, np.where(sizes >= HUGE, PAGE, sizes))


def samples(size: int) -> dict[str, bytes]:
    """Pages of `size` bytes that reach every part of a codec."""
    random = np.random.default_rng(7)
    noise = random.integers(0, 256, size, np.uint8)
    holes = noise.copy()
    holes[random.integers(0, 4, size // 64 + 1).repeat(64)[:size] > 0] = 0
    words = random.choice([b"page ", b"slot ", b"zspage ", b"swap ", b"\0\0\0\0\0\0\0"], size)
    pointers = 0x7F0000000000 + random.integers(0, 1 << 20, size // 8 + 1)
    return {
        "zeros": bytes(size),
        "ones": b"\xff" * size,
        "noise": noise.tobytes(),
        "holes": holes.tobytes(),
        "words": b"".join(words)[:size],
        "period 3": (b"abc" * size)[:size],
        "period 300": (noise[:300].tobytes() * size)[:size],
        "pointers": pointers.astype("<u8").tobytes()[:size],
        "noise, then zeros": noise[: size // 2].tobytes() + bytes(size - size // 2),
        "zeros, then noise": bytes(size - size // 2) + noise[: size // 2].tobytes(),
        "twice": (noise[: size // 2].tobytes() * 3)[:size],
    }


def contents(size: int = PAGE) -> st.SearchStrategy[bytes]:
    """Pages pieced together from random, repeated, zero and short-period runs."""
    length = st.integers(1, size // 2)
    piece = st.one_of(
        st.binary(min_size=1, max_size=200),
        st.builds(bytes, length),
        st.builds(lambda unit, count: (unit * count)[:count], st.binary(min_size=1, max_size=20), length),
    )
    return st.builds(
        lambda pieces, order: b"".join(pieces[i % len(pieces)] for i in order)[:size].ljust(size, b"x"),
        st.lists(piece, min_size=1, max_size=8),
        st.lists(st.integers(0, 7), min_size=1, max_size=40),
    )
