"""Dumps of swap devices and swap files: raw pages behind the header that mkswap writes.

Source: union swap_header in include/linux/swap.h, read_swap_header in mm/swapfile.c (6.18); mkswap(8).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import ClassVar, NoReturn

import numpy as np

from workloads.errors import TraceError
from workloads.readers.base import Batch, Facts, Reader
from workloads.readers.image import opened
from workloads.readers.input import Head, Input

MAGIC, OLD, HIBERNATED = b"SWAPSPACE2", b"SWAP-SPACE", b"S1SUSPEND\0"
PAGE_SIZES = tuple(1 << shift for shift in range(12, 17))
FIELDS, BAD = 1024, 1536  # where version, last_page and nr_badpages are, and where the bad pages begin
REMEDY = "give the dump of a swap device as mkswap left it, or import it with --format dump"


class Swap(Reader):
    """Page i of the device is paged out to slot i, in order; the header and bad pages hold none."""

    name: ClassVar[str] = "swap"
    title: ClassVar[str] = "dump of a swap device or swap file (SWAPSPACE2)"

    @classmethod
    def sniff(cls, head: Head) -> bool:
        """See `Reader.sniff`."""
        return any(_magic(head.data, size) in (MAGIC, OLD, HIBERNATED) for size in PAGE_SIZES)

    def read(self, file: Input, facts: Facts) -> Iterator[Batch]:
        """See `Reader.read`."""
        with opened(file, facts) as image:
            last, bad = _header(file, image.head(file.page_size, "the header"), facts)
            facts["slots in use"] = "not told by the device: pages of slots freed before the dump are among these"
            slot = 1
            for gap in (*bad, last + 1):
                yield from image.pages(slot, gap - slot)
                image.skip((gap + 1) * file.page_size)
                slot = gap + 1


def _header(file: Input, page: bytes, facts: Facts) -> tuple[int, list[int]]:
    """The last page, and the bad ones, ascending."""

    def refuse(wrong: str, remedy: str = REMEDY) -> NoReturn:
        raise TraceError.at(file.path, "swap header", wrong, remedy)

    magic = _magic(page, file.page_size)
    if magic != MAGIC:
        first = Head.of(file.path).data
        other = next((size for size in PAGE_SIZES if _magic(first, size) == MAGIC), None)
        if other:
            refuse(f"is one of pages of {other} bytes, not of {file.page_size}", f"give --page-size {other}")
        if magic in (OLD, HIBERNATED):
            refuse("is of a kind no longer used" if magic == OLD else "says that a hibernated system is in it")
        refuse(f"is not at the end of a page of {file.page_size} bytes", "give --page-size as on the machine it is of")
    for order in "<>":
        version, last, n_bad = struct.unpack_from(f"{order}3I", page, FIELDS)
        if version == 1:
            break
    else:
        refuse(f"has version {version}, not 1")
    most = (file.page_size - len(MAGIC) - BAD) // 4
    if n_bad > most:
        refuse(f"tells of {n_bad:,} bad pages; it has room for {most:,}")
    if not last:
        refuse("tells that there are no pages")
    bad = np.unique(np.frombuffer(page, f"{order}u4", n_bad, BAD)).tolist()
    if bad and not 0 < bad[0] <= bad[-1] <= last:
        refuse(f"tells of bad page {bad[0] or bad[-1]}; pages are 1 to {last}" if bad[0] else "calls itself a bad page")
    facts |= {"byte order": "little" if order == "<" else "big", "pages": last, "bad pages": n_bad}
    return last, bad


def _magic(page: bytes, size: int) -> bytes:
    return page[size - len(MAGIC) : size]
