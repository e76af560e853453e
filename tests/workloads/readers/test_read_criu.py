from __future__ import annotations

import struct
import tarfile
from pathlib import Path

import pytest
from reading_kit import GOLDEN, read, sniffed, text

from workloads.readers.criu import Criu

MAGICS = struct.pack("<2I", 0x54564319, 0x56084025)


def varint(value: int) -> bytes:
    data = b""
    while value > 127:
        data, value = data + bytes([value & 127 | 128]), value >> 7
    return data + bytes([value])


def message(**fields: int) -> bytes:
    numbers = {"id": 1, "vaddr": 1, "pages": 2, "in_parent": 3, "flags": 4, "pages_64": 5}
    data = b"".join(varint(numbers[name] << 3) + varint(value) for name, value in fields.items())
    return struct.pack("<I", len(data)) + data


def put(folder: Path, pagemap: bytes, pages: bytes, name: str = "pagemap-7.img") -> Path:
    (folder / name).write_bytes(pagemap)
    (folder / "pages-3.img").write_bytes(pages)
    return folder


@pytest.mark.parametrize(("folder", "pages", "elsewhere"), [("a", 55, 0), ("b", 11, 45)])
def test_images_by_criu(tmp_path: Path, folder: str, pages: int, elsewhere: int) -> None:
    with tarfile.open(GOLDEN / "criu.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    found = read(Criu(), tmp_path / folder)
    assert sniffed(Criu, tmp_path / folder)
    assert (len(found.slot), found.facts["pages elsewhere"]) == (pages, elsewhere)
    assert found.task is not None
    assert set(found.task.tolist()) == {103}
    text = [page.tobytes() for page in found.pages if b" of the fixture, line " in page.tobytes()]
    assert len(text) == {"a": 40, "b": 5}[folder]
    assert found.slot[0] >> 40 == 103
    assert not found.error


def test_only_pages_that_are_there_are_taken_and_older_images_tell_them_otherwise(tmp_path: Path) -> None:
    pagemap = MAGICS + message(id=3)
    pagemap += message(vaddr=0x1000, pages=2) + message(vaddr=0x8000, pages=4, in_parent=1)
    pagemap += message(vaddr=0x20000, pages=9, flags=2) + message(vaddr=0x30000, pages=0, flags=4, pages_64=1)
    put(tmp_path, pagemap, text(1) + text(2) + text(3))
    found = read(Criu(), put(tmp_path, MAGICS + message(id=3), b"", "pagemap-9.img"))
    assert "pages-3.img: file: is empty" in found.error, "of process 9, after those of 7"
    put(tmp_path, pagemap, text(1) + text(2) + text(3))
    (tmp_path / "pagemap-9.img").rename(tmp_path / "pagemap-shmem-5.img")
    put(tmp_path, MAGICS + message(id=3) + message(vaddr=0, pages=1, flags=4), text(1) * 3, "pagemap-shmem-5.img")
    put(tmp_path, pagemap, text(1) + text(2) + text(3))
    found = read(Criu(), tmp_path)
    assert found.slot.tolist() == [7 << 40 | 1, 7 << 40 | 2, 7 << 40 | 0x30, ((1 << 22) + 1) << 40]
    assert found.task is not None
    assert found.task.tolist() == [7, 7, 7, 0]
    assert found.facts["pages elsewhere"] == 13


HEAD = MAGICS + message(id=3)


@pytest.mark.parametrize(
    ("pagemap", "error"),
    [
        (b"x" * 40, "pagemap-7.img: byte 0: is no pagemap image"),
        (MAGICS, "ends before its first message"),
        (MAGICS + message(vaddr=3)[:-1], "byte 8: message 0 is damaged or cut off"),
        (HEAD + b"\xff\xff\xff\xff", "message 1 is damaged"),
        (HEAD + b"\x02\0\0\0\x0a\x00", "message 1 is damaged"),
        (HEAD + b"\x0c\0\0\0\x08" + b"\xff" * 11, "message 1 is damaged"),
        (HEAD + message(vaddr=0x1001, pages=1), "1 pages of 4096 bytes at 0x1001 cannot be"),
        (HEAD + message(vaddr=0x1000, pages=(1 << 64) - 1), "cannot be"),
        (HEAD + message(vaddr=0x1000, pages=3), "pages-3.img: page 2: has 0 of 4096 bytes"),
        (MAGICS + message(id=4), "pages-4.img: file: is missing"),
        (MAGICS + message(pages=4), "does not tell the number of pages-N.img"),
    ],
)
def test_images_that_cannot_be(tmp_path: Path, pagemap: bytes, error: str) -> None:
    assert error in read(Criu(), put(tmp_path, pagemap, text(1) * 2)).error


def test_a_file_is_no_folder_of_images(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    assert "folder: is none; give the folder of images" in read(Criu(), tmp_path / "f").error
    assert "has no pagemap-PID.img" in read(Criu(), tmp_path).error
