"""What every registered compressor must do."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from codec_kit import PAGE, contents, golden_pages, samples
from hypothesis import given, settings

from sim.compressors.base import BATCH, Buffer, Compressor
from sim.errors import CodecError, CompressorError
from sim.plugins import COMPRESSORS


@pytest.fixture(params=COMPRESSORS.names())
def codec(request: pytest.FixtureRequest) -> Compressor:
    return COMPRESSORS.make(request.param)


@pytest.mark.parametrize("size", [4096, 16384, 65536])
def test_round_trip(codec: Compressor, size: int) -> None:
    for kind, page in samples(size).items():
        assert codec.decompress(codec.compress(page), size) == page, kind


@pytest.mark.parametrize("size", [1, 12, 13, 20, 21, 22, 64])
def test_small_blocks(codec: Compressor, size: int) -> None:
    for page in (bytes(size), bytes(range(size))):
        assert codec.decompress(codec.compress(page), size) == page


@settings(max_examples=60, deadline=None)
@given(page=contents())
@pytest.mark.parametrize("name", COMPRESSORS.names())
def test_round_trip_of_anything(name: str, page: bytes) -> None:
    codec = COMPRESSORS.make(name)
    assert codec.decompress(codec.compress(page), PAGE) == page


def test_takes_any_buffer(codec: Compressor) -> None:
    page = samples(PAGE)["words"]
    expected = codec.compress(page)
    assert codec.compress(memoryview(page)) == codec.compress(bytearray(page)) == expected
    assert codec.decompress(memoryview(expected), PAGE) == page


def test_measure(codec: Compressor) -> None:
    pages = golden_pages()[: 2 * BATCH + 3]
    sizes, compress_ns, decompress_ns = codec.measure(pages)
    assert [array.dtype for array in (sizes, compress_ns, decompress_ns)] == [np.int32, np.int64, np.int64]
    assert sizes.tolist() == [len(codec.compress(page.tobytes())) for page in pages]
    assert len(compress_ns) == len(decompress_ns) == len(pages)
    assert compress_ns.min() > 0
    assert decompress_ns.min() > 0


def test_measure_takes_any_rows(codec: Compressor) -> None:
    pages = golden_pages()
    assert [len(column) for column in codec.measure(pages[:0])] == [0, 0, 0]
    every_other = codec.measure(pages[:20:2])[0]
    assert every_other.tolist() == codec.measure(pages[:20])[0][::2].tolist()
    with pytest.raises(CompressorError, match="page_size"):
        codec.measure(pages[0])


def test_damaged_streams_are_refused(codec: Compressor) -> None:
    page = samples(PAGE)["holes"]
    stream = codec.compress(page)
    for damaged in (b"", stream[: len(stream) // 2], stream[:-1]):
        with pytest.raises(CodecError, match=codec.name):
            codec.decompress(damaged, PAGE)
    for size in (PAGE - 1, PAGE + 1):
        with pytest.raises(CodecError, match=codec.name):
            codec.decompress(stream, size)


def test_description(codec: Compressor) -> None:
    assert codec.spec.split(":")[0] == codec.name
    assert json.loads(json.dumps(codec.config)) == codec.config
    assert codec.version
    assert codec.parallel in ("threads", "processes")
    for copy in (COMPRESSORS.make(codec.spec), pickle.loads(pickle.dumps(codec))):
        assert (type(copy), copy.spec) == (type(codec), codec.spec)


class Forgetful(Compressor):
    name = "forgetful"
    version = "1"

    def compress(self, page: Buffer) -> bytes:
        return bytes(page)

    def decompress(self, data: Buffer, size: int) -> bytes:
        return bytes(data) if data[0] < 100 else bytes(size)


def test_a_user_writes_a_codec() -> None:
    pages = np.full((200, PAGE), 1, np.uint8)
    assert set(Forgetful().measure(pages)[0]) == {PAGE}


def test_measure_names_the_page_that_does_not_come_back() -> None:
    pages = np.full((200, PAGE), 1, np.uint8)
    pages[150] = 100
    with pytest.raises(CodecError, match="forgetful: page 150"):
        Forgetful().measure(pages)


def test_measure_names_the_page_that_raises() -> None:
    class Failing(Forgetful):
        def compress(self, page: Buffer) -> bytes:
            if page[0] == 100:
                raise OSError("no more")
            return bytes(page)

    pages = np.full((200, PAGE), 1, np.uint8)
    pages[150] = 100
    with pytest.raises(CodecError, match="forgetful: page 150: no more"):
        Failing().measure(pages)
