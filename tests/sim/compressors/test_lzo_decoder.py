"""The LZO decoder against streams written by hand from the format document, and against damage."""

from __future__ import annotations

import numpy as np
import pytest
from codec_kit import EXACT, PAGE, contents, golden_pages
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.compressors.exact import ExactCompressor
from sim.errors import CodecError
from sim.plugins import COMPRESSORS

END = bytes([17, 0, 0])
VERSION_1 = bytes([17, 1])
NOISE = np.random.default_rng(3).integers(1, 256, 1 << 16, np.uint8).tobytes()


def literals(data: bytes) -> bytes:
    """A literal run of 19 bytes or more: 18, 255 for each zero byte, and a last byte."""
    more, last = divmod(len(data) - 19, 255)
    return bytes(1 + more) + bytes([last + 1]) + data


STREAMS = {
    "nothing": (END, b""),
    "literals in the first byte": (bytes([17 + 4]) + b"abcd" + END, b"abcd"),
    "most literals in the first byte": (b"\xff" + NOISE[:238] + END, NOISE[:238]),
    "literals": (bytes([1]) + b"wxyz" + END, b"wxyz"),
    "long literals": (literals(NOISE[:1000]) + END, NOISE[:1000]),
    "2 from 2 back, after 2 literals": (bytes([17 + 2]) + b"ab" + bytes([0b0100, 0]) + END, b"abab"),
    "2 from 5 back, 1 literal before and after": (
        bytes([17 + 8]) + b"abcdefgh" + bytes([0b01011101, 0]) + b"!" + bytes([0b0001, 1]) + b"?" + END,
        b"abcdefghabc!ha?",
    ),
    "3 from 2052 back, after 2100 literals": (
        literals(NOISE[:2100]) + bytes([0b1100, 0]) + END,
        NOISE[:2100] + NOISE[48:51],
    ),
    "4 from 2048 back": (
        literals(NOISE[:2100]) + bytes([0b01111100, 255]) + END,
        NOISE[:2100] + NOISE[52:56],
    ),
    "8 from 1 back": (bytes([17 + 4]) + b"abcd" + bytes([0b11100000, 0]) + END, b"abcd" + b"d" * 8),
    "40 from 4 back": (bytes([17 + 4]) + b"abcd" + bytes([32, 7, 3 << 2, 0]) + END, b"abcd" * 11),
    "3 from 4 back, 2 literals": (
        bytes([17 + 4]) + b"abcd" + bytes([33, 3 << 2 | 2, 0]) + b"xy" + END,
        b"abcdabcxy",
    ),
    "9 from 16385 back": (
        literals(NOISE[:20000]) + bytes([16 | 7, 1 << 2, 0]) + END,
        NOISE[:20000] + NOISE[3615:3624],
    ),
    "300 from 32768 back": (
        literals(NOISE[:33000]) + bytes([16 | 8, 0, 300 - 9 - 255, 0, 0]) + END,
        NOISE[:33000] + NOISE[232:532],
    ),
    "4 zeros": (VERSION_1 + bytes([21]) + b"abcd" + bytes([24, 0xFC, 0xFF, 0]) + END, b"abcd" + bytes(4)),
    "2051 zeros, 3 literals": (
        VERSION_1 + bytes([21]) + b"abcd" + bytes([24 | 7, 0xFF, 0xFF, 0xFF]) + b"xyz" + END,
        b"abcd" + bytes(2051) + b"xyz",
    ),
}


@pytest.mark.parametrize("name", ["lzo", "lzo-rle"])
@pytest.mark.parametrize("kind", STREAMS)
def test_hand_made_streams(name: str, kind: str) -> None:
    stream, block = STREAMS[kind]
    codec = COMPRESSORS.make(name)
    assert codec.decompress(stream, len(block)) == block
    for end in range(len(stream)):
        with pytest.raises(CodecError):
            codec.decompress(stream[:end], len(block))
    with pytest.raises(CodecError):
        codec.decompress(stream + b"\0", len(block))


@pytest.mark.parametrize(
    "stream",
    [
        bytes([17, 2, 21]) + b"abcd" + END,
        bytes([17 + 4]) + b"abcd" + bytes([0b01000000 | 7 << 2, 0]) + END,
        bytes([17 + 4]) + b"abcd" + bytes([24, 0xFC, 0xFF, 0]) + END,
        bytes([17 + 4]) + b"abcd" + bytes([18, 0, 0]),
    ],
    ids=["version 2", "a copy from before the block", "zeros in version 0", "an end with another length"],
)
def test_malformed_streams(stream: bytes) -> None:
    for size in (4, 8, PAGE):
        with pytest.raises(CodecError):
            COMPRESSORS.make("lzo-rle").decompress(stream, size)


def test_far_copies_that_would_read_as_zeros_are_shortened() -> None:
    """A copy of 262 bytes from 0x803f back is written as 260 (opcode 24, 251 more), and the rest apart."""
    codec, shortened = COMPRESSORS.make("lzo-rle"), 0
    for start in range(0, 6000, 300):
        head = NOISE[start : start + 262]
        block = head.ljust(0x803F, b"\0") + head + NOISE[-9000:]
        stream = codec.compress(block)
        assert codec.decompress(stream, len(block)) == block
        shortened += bytes([24, 251, 0xFC]) in stream
    assert shortened


def _decompress_between_guards(codec: ExactCompressor, stream: bytes, size: int = PAGE) -> None:
    """Decompress into the middle of an array; what lies around it must not change."""
    rows = np.full((3, size), 0xA5, np.uint8)
    given_stream = np.frombuffer(stream, np.uint8)[np.newaxis]
    sizes, times = np.zeros(1, np.int32), np.zeros(1, np.int64)
    codec.codec.decompress_pages(given_stream, np.array([len(stream)], np.int32), rows[1:2], sizes, times)
    assert -1 <= sizes[0] <= size
    assert (rows[::2] == 0xA5).all()


@pytest.mark.parametrize("name", EXACT)
@settings(max_examples=300, deadline=None)
@given(stream=st.binary(max_size=300))
def test_any_bytes_stay_inside(name: str, stream: bytes) -> None:
    codec = COMPRESSORS.make(name)
    assert isinstance(codec, ExactCompressor)
    _decompress_between_guards(codec, stream)


@pytest.mark.parametrize("name", EXACT)
@settings(max_examples=100, deadline=None)
@given(page=contents(), seed=st.integers(0, 1 << 30))
def test_damaged_streams_stay_inside(name: str, page: bytes, seed: int) -> None:
    codec = COMPRESSORS.make(name)
    assert isinstance(codec, ExactCompressor)
    random = np.random.default_rng(seed)
    stream = np.frombuffer(codec.compress(page), np.uint8).copy()
    stream[random.integers(0, len(stream), 3)] = random.integers(0, 256, 3)
    _decompress_between_guards(codec, stream.tobytes())


@pytest.mark.parametrize("name", EXACT)
def test_every_truncation_is_refused(name: str) -> None:
    codec = COMPRESSORS.make(name)
    page = golden_pages()[1].tobytes()
    stream = codec.compress(page)
    for end in range(len(stream)):
        with pytest.raises(CodecError):
            codec.decompress(stream[:end], PAGE)
