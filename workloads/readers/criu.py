"""Memory of processes as CRIU dumps it: a folder with pagemap-PID.img and pages-N.img for each process.

Source: images/pagemap.proto, criu/include/magic.h and init_compat_pagemap_entry in criu/pagemap.c (CRIU 4.2);
https://criu.org/Memory_dumps; Protocol Buffers' encoding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.readers.base import Batch, Facts, Reader
from workloads.readers.image import WHOLE, Image, opened
from workloads.readers.input import Head, Input

PAGEMAP = re.compile(r"pagemap-(shmem-)?(\d{1,10})\.img", re.ASCII)
MAGICS = (0x54564319).to_bytes(4, "little") + (0x56084025).to_bytes(4, "little")  # of all images, of a pagemap
PRESENT = 4  # of the flags; other pages are in a parent's images, or are still to be fetched
PAGES_ID, VADDR, PAGES_32, IN_PARENT, FLAGS, PAGES_64 = 1, 1, 2, 3, 4, 5  # numbers of fields, PAGES_ID of the first
LONGEST = 1 << 10  # bytes of a message
SHARED = 1 << 22
PAGE_BITS = 40  # of a slot: the page's number in its process
MEND = "give the folder as criu left it"

Numbers = npt.NDArray[np.uint64]


class Criu(Reader):
    """Each page goes to slot PID * 2**40 + page number, process by process, in order; the task is the process."""

    name: ClassVar[str] = "criu"
    title: ClassVar[str] = "folder of CRIU images"

    @classmethod
    def sniff(cls, head: Head) -> bool:
        """See `Reader.sniff`."""
        return any(map(PAGEMAP.fullmatch, head.names))

    def read(self, file: Input, facts: Facts) -> Iterator[Batch]:
        """See `Reader.read`."""
        if not file.path.is_dir():
            raise TraceError.at(file.path, "folder", "is none", "give the folder of images, --images-dir of criu dump")
        maps = sorted(found for child in file.path.iterdir() if (found := _place(child.name)))
        if not maps:
            raise TraceError.at(file.path, "folder", "has no pagemap-PID.img", MEND)
        facts |= {"addresses": f"virtual: slot = process * 2**{PAGE_BITS} + address / page size", "pages elsewhere": 0}
        for order, (shared, pid, name) in enumerate(maps):
            # Shared memory belongs to no process: it is numbered behind the highest PID that there can be.
            yield from _process(file, name, *((0, SHARED + order) if shared else (pid, pid)), facts)


def _place(name: str) -> tuple[bool, int, str] | None:
    found = PAGEMAP.fullmatch(name)
    if not found or (not found[1] and int(found[2]) >= SHARED):
        return None
    return bool(found[1]), int(found[2]), name


def _process(file: Input, name: str, task: int, high: int, facts: Facts) -> Iterator[Batch]:
    """What one pagemap tells of."""
    with opened(file.other(name), {}) as image:
        pages_id, first, n = _entries(image, facts)
    ends = np.cumsum(n)
    with opened(file.other(f"pages-{pages_id}.img"), facts) as image:
        for batch in image.pages(0, int(ends[-1]) if len(ends) else 0):
            entry = np.searchsorted(ends, batch.slot, "right")
            slot = first[entry] + (batch.slot - (ends - n)[entry]) + np.uint64(high << PAGE_BITS)
            yield Batch(batch.kind, slot, task=np.full(len(slot), task, np.int32), pages=batch.pages)


def _entries(image: Image, facts: Facts) -> tuple[int, Numbers, Numbers]:
    """The number of the file of pages; for each run of pages in it, the number of the first, and how many."""
    path, size = image.file.path, image.file.page_size
    if image.read(len(MAGICS)) != MAGICS:
        raise TraceError.at(path, "byte 0", "is no pagemap image of CRIU 1.3 or later", MEND)
    pages_id = None
    runs: list[tuple[int, int]] = []
    total = 0
    for number in count():
        at = image.position
        head = image.read(4)
        if not head:
            break
        length = int.from_bytes(head, "little")
        message = _fields(image.read(length)) if len(head) == 4 and length <= LONGEST else None
        if message is None or image.position != at + 4 + length:
            raise TraceError.at(path, f"byte {at}", f"message {number} is damaged or cut off", WHOLE)
        if pages_id is None:
            pages_id = message.get(PAGES_ID)
            if pages_id is None:
                raise TraceError.at(path, f"byte {at}", "does not tell the number of pages-N.img", MEND)
            continue
        address, pages = message.get(VADDR, 0), message.get(PAGES_64, message.get(PAGES_32, 0))
        flags = message.get(FLAGS, 0 if message.get(IN_PARENT) else PRESENT)
        if address % size or address // size + pages > 1 << PAGE_BITS:
            wrong = f"message {number}: {pages:,} pages of {size} bytes at {address:#x} cannot be"
            raise TraceError.at(path, f"byte {at}", wrong, "give --page-size as on the machine it is of")
        if not flags & PRESENT:
            facts["pages elsewhere"] += pages
        elif pages:
            runs.append((address // size, pages))
            total += pages
    if pages_id is None:
        raise TraceError.at(path, "file", "ends before its first message", WHOLE)
    if total >= 1 << 62:
        raise TraceError.at(path, "file", f"tells of {total:,} pages", MEND)
    first, n = np.array(runs, np.uint64).reshape(-1, 2).T
    return pages_id, first, n


def _fields(data: bytes) -> dict[int, int] | None:
    """Decode a message whose fields are all varints; None if it is none."""
    fields: dict[int, int] = {}
    numbers, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if shift > 70:
            return None
        if byte < 128:
            numbers.append(value & (1 << 64) - 1)
            value, shift = 0, 0
    if shift or len(numbers) % 2:
        return None
    for key, value in zip(numbers[::2], numbers[1::2], strict=True):
        if key & 7:
            return None
        fields[key >> 3] = value
    return fields
