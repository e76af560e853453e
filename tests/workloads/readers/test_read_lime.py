"""LiME's and AVML's images; made here from their descriptions, since neither tool can run on this kernel."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import cramjam
import numpy as np
import pytest
from reading_kit import read, sniffed, text

from workloads.readers.avml import Avml
from workloads.readers.base import Reader
from workloads.readers.lime import Lime


def lime(first: int, data: bytes) -> bytes:
    return struct.pack("<2I3Q", 0x4C694D45, 1, first, first + len(data) - 1, 0) + data


def avml(first: int, data: bytes) -> bytes:
    frames = bytes(cramjam.snappy.compress(data))
    header = struct.pack("<2I3Q", 0x4C4D5641, 2, first, first + len(data) - 1, 0)
    return header + frames + struct.pack("<Q", len(frames))


def damaged(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


FORMATS = pytest.mark.parametrize(("reader", "made"), [(Lime, lime), (Avml, avml)])
FORTY = b"".join(map(text, range(40)))


@FORMATS
@pytest.mark.parametrize("packed", [False, True])
def test_pages_go_to_the_slots_of_their_addresses(
    tmp_path: Path, reader: type[Reader], made: Callable[[int, bytes], bytes], packed: bool
) -> None:
    odd = bytes(4000) + text(1) + bytes(1)
    data = made(0x1000, FORTY) + made(0x100000 + 96, odd) + made(0xFFFFFFFFFFFFF000, text(2))
    path = tmp_path / ("image.gz" if packed else "image")
    path.write_bytes(gzip.compress(data) if packed else data)
    assert [cls for cls in (Lime, Avml) if sniffed(cls, path)] == [reader]
    found = read(reader(), path)
    assert found.slot.tolist() == [*range(1, 41), 0x101, 0xFFFFFFFFFFFFF]
    assert np.array_equal(found.pages.reshape(-1), np.frombuffer(FORTY + text(1) + text(2), np.uint8))
    assert (found.facts["ranges"], found.facts["bytes outside whole pages"]) == (3, 4001)
    assert not found.error


@FORMATS
def test_what_comes_before_the_end_is_kept(
    tmp_path: Path, reader: type[Reader], made: Callable[[int, bytes], bytes]
) -> None:
    path, whole = tmp_path / "image", made(0, FORTY)
    kept = {}
    for cut in (8, len(whole) + 8, len(whole) + 32, len(whole) - 20):
        path.write_bytes((whole + made(0x100000, FORTY))[:cut])
        found = read(reader(), path)
        assert "give the whole file" in found.error
        kept[cut] = len(found.slot)
    before = 39 if reader is Lime else 32  # Snappy's chunks have 64 KiB
    assert list(kept.values())[:3] == [0, 40, 40]
    assert before <= kept[len(whole) - 20] <= 40


@pytest.mark.parametrize(
    ("reader", "data", "error"),
    [
        (Lime, lime(0, text(1)) + b"x" * 40, "byte 4128: magic 0x78787878, version 2021161080 is not that of a range"),
        (Lime, lime(0, text(1)) + avml(0, text(1)), "is not that of a range"),
        (Lime, struct.pack("<2I3Q", 0x4C694D45, 1, 9, 8, 0), "byte 0: a range ends at 0x8, before it begins at 0x9"),
        (Lime, struct.pack("<2I3Q", 0x4C694D45, 1, 0, (1 << 64) - 1, 0), "page 0: has 0 of 4096 bytes"),
        (Avml, avml(0, text(1))[:-8] + bytes(8), "does not tell the"),
        (Avml, damaged(avml(0, text(1)), 32 + 10 + 4), "a chunk is damaged"),
        (Avml, damaged(avml(0, text(1)), -20), "a chunk is damaged"),
        (Avml, avml(0, text(1))[:32] + b"\x05" + bytes(99), "there is no chunk of Snappy's framing format (kind 5"),
        (Avml, avml(0, text(1))[:32] + b"\0\xff\xff\xff" + bytes(99), "kind 0, 16,777,215 bytes"),
        (Avml, struct.pack("<2I3Q", 0x4C4D5641, 2, 0, 99, 0) + avml(0, text(1))[32:], "have more than its 100 bytes"),
    ],
)
def test_images_that_cannot_be(tmp_path: Path, reader: type[Reader], data: bytes, error: str) -> None:
    (tmp_path / "image").write_bytes(data)
    assert error in read(reader(), tmp_path / "image").error
