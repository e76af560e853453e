"""The exact codecs against a live 6.18 kernel, and their streams against decoders of others."""

from __future__ import annotations

from collections.abc import Callable

import lz4.block
import lzallright
import numpy as np
import pytest
from codec_kit import EXACT, PAGE, as_stored, contents, golden_pages, golden_sizes, samples
from hypothesis import given, settings

from sim.plugins import COMPRESSORS

DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "lz4": lambda stream, size: lz4.block.decompress(stream, uncompressed_size=size),
    "lzo": lzallright.LZOCompressor.decompress,
}


@pytest.mark.parametrize("name", EXACT)
def test_sizes_equal_the_kernels(name: str) -> None:
    pages = golden_pages()
    sizes, _, _ = COMPRESSORS.make(name).measure(pages)
    stored = as_stored(pages, sizes)
    assert len(stored) == 1040
    assert np.flatnonzero(stored != golden_sizes(name)).tolist() == []


@pytest.mark.parametrize("name", DECODERS)
def test_independent_decoder_reads_golden_pages(name: str) -> None:
    codec = COMPRESSORS.make(name)
    for page in golden_pages():
        assert DECODERS[name](codec.compress(page.tobytes()), PAGE) == page.tobytes()


@pytest.mark.parametrize("size", [1, 12, 13, 20, 21, 100, 4096, 16384, 65536])
@pytest.mark.parametrize("name", DECODERS)
def test_independent_decoder_reads_samples(name: str, size: int) -> None:
    codec = COMPRESSORS.make(name)
    for kind, page in samples(size).items():
        assert DECODERS[name](codec.compress(page), size) == page, kind


@pytest.mark.parametrize("name", DECODERS)
@settings(max_examples=100, deadline=None)
@given(page=contents())
def test_independent_decoder_reads_anything(name: str, page: bytes) -> None:
    assert DECODERS[name](COMPRESSORS.make(name).compress(page), PAGE) == page
