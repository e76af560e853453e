from __future__ import annotations

import gzip
import struct
from pathlib import Path

import pytest
import zstandard
from reading_kit import GOLDEN, read, sniffed, text

from workloads.readers.elf import Elf

Segment = tuple[int, int, bytes, int]  # p_vaddr, p_paddr, contents, p_memsz


def core(*segments: Segment, bits: int = 64, order: str = "<", many: bool = False, e_type: int = 4) -> bytes:
    """A core of these segments; `many`: their number is in section 0, at the end, as the kernel writes it."""
    ident = b"\x7fELF" + bytes([bits // 32, 1 if order == "<" else 2, 1]) + bytes(9)
    word, size, each = ("Q", 64, 56) if bits == 64 else ("I", 52, 32)
    at = size + each * len(segments)
    heads, data = b"", b""
    for vaddr, paddr, contents, memory in segments:
        offset = at + len(data)
        fields = (offset, vaddr, paddr, len(contents), memory)
        if bits == 64:
            heads += struct.pack(f"{order}2I6Q", 1, 6, *fields, 1)
        else:
            heads += struct.pack(f"{order}8I", 1, *fields, 6, 1)
        data += contents
    number = 0xFFFF if many else len(segments)
    end = at + len(data)
    fields = (e_type, 62, 1, 0, size, end if many else 0, 0, size, each, number, 64 if bits == 64 else 40, int(many), 0)
    section = struct.pack(f"{order}2I4{word}2I2{word}", 0, 0, 0, 0, 0, 0, 0, len(segments), 0, 0) if many else b""
    return ident + struct.pack(f"{order}2HI3{word}I6H", *fields) + heads + data + section


def put(folder: Path, data: bytes, name: str = "core") -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


@pytest.mark.parametrize("suffix", ["", ".zst"])
def test_gcore_of_a_process(tmp_path: Path, suffix: str) -> None:
    path = GOLDEN / "process.core.zst"
    if not suffix:
        path = put(tmp_path, zstandard.decompress(path.read_bytes()))
    found = read(Elf(), path)
    assert sniffed(Elf, path)
    assert (len(found.slot), found.facts["segments"], found.facts["zero pages"]) == (58, 6, 40)
    assert found.facts["addresses"].startswith("virtual")
    assert found.slot[:2].tolist() == [0x400, 0x403]
    assert found.pages[1].tobytes().startswith(b"a page of .data")
    assert found.pages[2].tobytes().startswith(b"dpnqsfttfe!txbq!"), "the first page of the mapping, by address"


def test_dump_of_a_guest_of_qemu() -> None:
    found = read(Elf(), GOLDEN / "guest.elf.zst")
    assert (len(found.slot), found.facts["segments"], found.facts["zero pages"]) == (272, 5, 220)
    assert found.facts["addresses"].startswith("physical")
    assert found.pages[4].tobytes().startswith(b"page 0 of a guest's memory")
    assert found.slot[-1] == 0xFFFFF
    assert found.pages[-1].tobytes().startswith(b"page 15 of a ROM")


@pytest.mark.parametrize("name", ["core", "core.gz"])
@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("order", ["<", ">"])
def test_pages_are_cut_by_address(tmp_path: Path, name: str, bits: int, order: str) -> None:
    odd = bytes(100) + text(1) + text(2) + bytes(50)
    segments = ((0x8000 - 100, 0, odd, len(odd) + 4096), (0x1000, 0, text(3), 4096), (0x9000000, 0, b"", 8192))
    found = read(Elf(), put(tmp_path, core(*segments, bits=bits, order=order), name))
    assert found.slot.tolist() == [8, 9, 1]
    assert [page.tobytes() for page in found.pages] == [text(1), text(2), text(3)]
    assert (found.facts["bytes outside whole pages"], found.facts["bytes not in the file"]) == (150, 4096 + 8192)
    assert not found.error


def test_more_segments_than_the_header_can_tell(tmp_path: Path) -> None:
    data = core((0x1000, 0, text(1), 4096), (0x5000, 0, text(2), 4096), many=True)
    assert read(Elf(), put(tmp_path, data)).slot.tolist() == [1, 5]
    assert read(Elf(), put(tmp_path, data, "core.gz")).slot.tolist() == [1, 5]


def patched(at: int, form: str, *values: int) -> bytes:
    data = bytearray(core((0x1000, 0, text(1), 4096), (0x5000, 0, text(2), 4096)))
    struct.pack_into(form, data, at, *values)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "slots", "error"),
    [
        (core((0x1000, 0, text(1) + text(2), 8192))[:-10], [1], "page 2: has 4086 of 4096 bytes; give the whole file"),
        (core((0x1000, 0, text(1), 4096))[:40], [], "ELF header: "),
        (core((0x1000, 0, text(1), 4096))[:100], [], "program headers: 1 of 56 bytes at byte 64 do not end within"),
        (core((0x1000, 0, text(1), 4096), e_type=2), [], "is of a program, not of a core (ET_EXEC)"),
        (core((0x1000, 0, b"", 4096)), [], "there is no segment with memory"),
        (patched(32, "<Q", 1 << 63), [], "do not end within the"),
        (patched(54, "<2H", 56, 0xFFFE), [], "program headers: 65,534 of 56 bytes"),
        (patched(54, "<2H", 56, 0xFFFF), [], "section header: is at byte 0"),
        (patched(54, "<2H", 8, 2), [], "program headers: are 2 of 8 bytes"),
        (patched(64 + 8, "<Q", (1 << 64) - 1), [5], "has 0 of 4096 bytes"),
        (patched(64 + 32, "<Q", (1 << 64) - 1), [], "two segments overlap"),
        (patched(64 + 56 + 8, "<Q", 180), [], "two segments overlap there"),
        (b"\x7fELF" + bytes(60), [], "ELF header: Invalid EI_CLASS"),
        (b"KDUMP   " + bytes(60), [], "is a compressed kdump; write an ELF core"),
        (b"makedumpfile" + bytes(60), [], "is a compressed kdump; write an ELF core"),
    ],
)
def test_cores_that_cannot_be(tmp_path: Path, data: bytes, slots: list[int], error: str) -> None:
    path = put(tmp_path, data)
    assert sniffed(Elf, path)
    found = read(Elf(), path)
    assert error in found.error
    assert found.slot.tolist() == slots
