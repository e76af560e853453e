"""The decoders of compressed pages: streams damaged at random."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import lz4.block
import lzallright
import numpy as np
from command import Wrong
from mutate import mutated_bytes
from sound import PAGE, pages

from sim.plugins import COMPRESSORS

STREAMS = 64  # of a case
CODECS = ("lz4", "lzo", "lzo-rle")


def make_streams(draw: Random, folder: Path) -> None:
    """Streams of one codec, each mutated, or noise."""
    codec = draw.choice(CODECS)
    good = [COMPRESSORS.make(codec).compress(page.tobytes()) for page in pages()]
    streams = [
        mutated_bytes(draw.choice(good), draw)[: 2 * PAGE]
        if draw.random() < 0.9
        else draw.randbytes(draw.randrange(1, 200))
        for _ in range(STREAMS)
    ]
    (folder / "streams.json").write_text(json.dumps([codec, [stream.hex() for stream in streams]]))


def answer_streams(folder: Path) -> None:
    """Nothing beside the page is written, and what is accepted the library's decoder reads alike."""
    codec, texts = json.loads((folder / "streams.json").read_text())
    given = [bytes.fromhex(text) for text in texts]
    lengths = np.array([len(stream) for stream in given], np.int32)
    table = np.frombuffer(b"".join(stream.ljust(lengths.max(), b"\xa5") for stream in given), np.uint8).reshape(
        len(given), -1
    )
    guarded = np.full((2 * len(given) + 1, PAGE), 0xA5, np.uint8)
    sizes, times = np.zeros(1, np.int32), np.zeros(1, np.int64)
    decompress = COMPRESSORS.make(codec).codec.decompress_pages  # type: ignore[attr-defined]
    for i in range(len(given)):
        row = guarded[2 * i + 1 : 2 * i + 2]
        decompress(table[i : i + 1], lengths[i : i + 1], row, sizes, times)
        if not -1 <= sizes[0] <= PAGE:
            raise Wrong(f"stream {i}: {sizes[0]} bytes")
        if sizes[0] == PAGE and _library(codec, given[i]) not in (None, row.tobytes()):
            raise Wrong(f"stream {i}: another page than the library's")
    if not (guarded[::2] == 0xA5).all():
        raise Wrong("written beside the page")


def _library(codec: str, stream: bytes) -> bytes | None:
    try:
        if codec == "lz4":
            return lz4.block.decompress(stream, uncompressed_size=PAGE)
        return bytes(lzallright.LZOCompressor().decompress(stream, PAGE)) if codec == "lzo" else None
    except Exception:
        return None
