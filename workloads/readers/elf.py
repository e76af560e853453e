"""ELF cores: of a process (kernel, gcore) or of a guest's memory (QEMU's dump-guest-memory, kdump's vmcore).

Source: elf(5), core(5); fs/binfmt_elf.c (6.18); docs of QEMU's dump-guest-memory. Headers are parsed by pyelftools.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, BinaryIO, ClassVar, NamedTuple, NoReturn

from elftools.common.exceptions import ELFError
from elftools.common.utils import struct_parse
from elftools.elf.elffile import ELFFile

from workloads.errors import TraceError
from workloads.files import open_regular
from workloads.readers.base import Batch, Facts, Reader
from workloads.readers.image import WHOLE, opened
from workloads.readers.input import Head, Input
from workloads.readers.lime import PHYSICAL, aligned
from workloads.traces.rawpages import BLOCK

MAGIC = b"\x7fELF"
KDUMP = (b"KDUMP   ", b"makedumpfile\0")  # dump-guest-memory -z, -l or -s; makedumpfile, plain and flattened
MANY = 0xFFFF  # of program headers: their number is elsewhere
MOST = 1 << 20  # program headers
VIRTUAL = "virtual: slot = address / page size"
MEND = "give a core that is whole and not damaged"


class Segment(NamedTuple):
    """So many bytes of a file, and the address of the first."""

    offset: int
    size: int
    address: int


class Elf(Reader):
    """Each page goes to the slot of its page number, in the file's order; only PT_LOAD segments have pages."""

    name: ClassVar[str] = "elf"
    title: ClassVar[str] = "ELF core of a process, or of a guest's memory by QEMU"

    @classmethod
    def sniff(cls, head: Head) -> bool:
        """See `Reader.sniff`."""
        return head.data.startswith((MAGIC, *KDUMP))

    def read(self, file: Input, facts: Facts) -> Iterator[Batch]:
        """See `Reader.read`."""
        segments = _segments(file, facts)
        with opened(file, facts) as image:
            for offset, size, address in segments:
                image.skip(offset)
                yield from aligned(image, address, address + size, facts)


def _segments(file: Input, facts: Facts) -> list[Segment]:
    """What is to be read, in the order of the file."""
    with _beginning(file) as stream:
        if stream.read(len(KDUMP[1])).startswith(KDUMP):
            remedy = "write an ELF core: dump-guest-memory without -z, -l, -s; makedumpfile -E"
            raise TraceError.at(file.path, "format", "is a compressed kdump", remedy)
        try:
            loads = [header for header in _headers(file, stream) if header["p_type"] == "PT_LOAD"]
        except ELFError as error:
            raise TraceError.at(file.path, "ELF header", str(error), MEND) from error
    physical = any(header["p_paddr"] for header in loads)
    address = "p_paddr" if physical else "p_vaddr"
    facts |= {
        "addresses": PHYSICAL if physical else VIRTUAL,
        "segments": len(loads),
        "bytes not in the file": min(sum(max(0, h["p_memsz"] - h["p_filesz"]) for h in loads), 1 << 62),
        "bytes outside whole pages": 0,
    }
    found = sorted(Segment(h["p_offset"], h["p_filesz"], h[address]) for h in loads if h["p_filesz"])
    if not found:
        raise TraceError.at(file.path, "program headers", "there is no segment with memory (PT_LOAD)", MEND)
    for before, after in pairwise(found):
        if before.offset + before.size > after.offset:
            raise TraceError.at(file.path, f"byte {after.offset}", "two segments overlap there", MEND)
    return found


def _beginning(file: Input) -> BinaryIO:
    if file.compressed:
        return io.BytesIO(next(file.blocks(BLOCK), b""))
    return os.fdopen(open_regular(file.path, WHOLE, follow=True), "rb")


def _headers(file: Input, stream: BinaryIO) -> Iterator[Any]:
    """All program headers. Raises TraceError, ELFError."""

    def refuse(place: str, wrong: str, remedy: str = MEND) -> NoReturn:
        raise TraceError.at(file.path, place, wrong, remedy)

    elf = ELFFile(stream)
    if elf["e_type"] != "ET_CORE":
        refuse("ELF header", f"is of a program, not of a core ({elf['e_type']})", "give a core, as gcore writes it")
    count, start, each = elf["e_phnum"], elf["e_phoff"], elf["e_phentsize"]
    most = f"{elf.stream_len:,} bytes" + (" that are looked at" if file.compressed else "")
    if count == MANY:
        if not 0 < elf["e_shoff"] <= elf.stream_len - elf.structs.Elf_Shdr.sizeof():
            remedy = "decompress it first" if file.compressed else MEND
            refuse("section header", f"is at byte {elf['e_shoff']:,}, not within the {most}", remedy)
        count = struct_parse(elf.structs.Elf_Shdr, stream, elf["e_shoff"])["sh_info"]
    if count > MOST or each < elf.structs.Elf_Phdr.sizeof():
        refuse("program headers", f"are {count:,} of {each} bytes", MEND)
    if start + count * each > elf.stream_len:
        remedy = "decompress it first, or give the whole file" if file.compressed else WHOLE
        refuse("program headers", f"{count:,} of {each} bytes at byte {start:,} do not end within the {most}", remedy)
    for number in range(count):
        yield struct_parse(elf.structs.Elf_Phdr, stream, start + number * each)
