from __future__ import annotations

import struct
from pathlib import Path

import pytest
from reading_kit import GOLDEN, read, sniffed, text

from workloads.readers.swap import Swap


def device(
    last: int, bad: tuple[int, ...] = (), size: int = 4096, order: str = "<", n_bad: int | None = None, version: int = 1
) -> bytes:
    """A swap device of pages that say their numbers."""
    header = bytearray(size)
    struct.pack_into(f"{order}3I", header, 1024, version, last, len(bad) if n_bad is None else n_bad)
    struct.pack_into(f"{order}{len(bad)}I", header, 1536, *bad)
    header[-10:] = b"SWAPSPACE2"
    return bytes(header) + b"".join(text(number, size) for number in range(1, last + 1))


def put(folder: Path, data: bytes) -> Path:
    path = folder / "swap"
    path.write_bytes(data)
    return path


def test_the_dump_of_a_zram_device_in_use() -> None:
    found = read(Swap(), GOLDEN / "zram.swap.zst")
    assert sniffed(Swap, GOLDEN / "zram.swap.zst")
    assert found.slot.tolist() == list(range(1, 256))
    assert found.facts["zero pages"] == 75
    assert sum(b"of a program that was swapped out" in page.tobytes() for page in found.pages) == 180


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("size", [4096, 16384])
def test_header_and_bad_pages_are_skipped_and_what_is_behind_the_area_is_not_taken(
    tmp_path: Path, order: str, size: int
) -> None:
    found = read(Swap(), put(tmp_path, device(9, (9, 1, 4, 4), size, order) + text(99, size)), size)
    assert sniffed(Swap, tmp_path / "swap")
    assert found.slot.tolist() == [2, 3, 5, 6, 7, 8]
    assert [page.tobytes() for page in found.pages] == [text(slot, size) for slot in (2, 3, 5, 6, 7, 8)]
    assert (found.facts["byte order"], found.facts["bad pages"]) == ("little" if order == "<" else "big", 4)
    assert not found.error


@pytest.mark.parametrize(
    ("data", "size", "slots", "error"),
    [
        (device(5)[:-4100], 4096, [1, 2, 3], "page 4: has 4092 of 4096 bytes; give the whole file"),
        (device(5)[:3000], 4096, [], "byte 0: the header is cut off"),
        (device(5), 16384, [], "is one of pages of 4096 bytes, not of 16384; give --page-size 4096"),
        (device(5, size=16384), 4096, [], "is one of pages of 16384 bytes, not of 4096; give --page-size 16384"),
        (device(3, version=2), 4096, [], "has version"),
        (device(0), 4096, [], "tells that there are no pages"),
        (device(3, n_bad=(1 << 32) - 1), 4096, [], "tells of 4,294,967,295 bad pages; it has room for 637"),
        (device(3, (4,)), 4096, [], "tells of bad page 4; pages are 1 to 3"),
        (device(3, (0,)), 4096, [], "calls itself a bad page"),
        (device(3).replace(b"SWAPSPACE2", b"S1SUSPEND\0"), 4096, [], "a hibernated system is in it"),
        (device(3).replace(b"SWAPSPACE2", b"SWAP-SPACE"), 4096, [], "is of a kind no longer used"),
    ],
)
def test_headers_that_cannot_be(tmp_path: Path, data: bytes, size: int, slots: list[int], error: str) -> None:
    found = read(Swap(), put(tmp_path, data), size)
    assert found.slot.tolist() == slots
    assert error in found.error
