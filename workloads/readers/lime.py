"""Images of physical memory as LiME writes them (`format=lime`): ranges of addresses, each behind a header.

Source: LiME's documentation (doc/README.md) and src/lime.h. `format=raw` and `padded` have no header: they are dumps.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import ClassVar

from workloads.errors import TraceError
from workloads.readers.base import Batch, Facts, Reader
from workloads.readers.image import WHOLE, Image, opened
from workloads.readers.input import Head, Input

HEADER = struct.Struct("<2I3Q")  # magic, version, first address, last address, reserved
PHYSICAL = "physical: slot = address / page size"


class Lime(Reader):
    """Each page goes to the slot of its physical page number, in the file's order."""

    name: ClassVar[str] = "lime"
    title: ClassVar[str] = "LiME image of physical memory"
    magic: ClassVar[int] = 0x4C694D45
    version: ClassVar[int] = 1

    @classmethod
    def sniff(cls, head: Head) -> bool:
        """See `Reader.sniff`."""
        return int.from_bytes(head.data[:4], "little") == cls.magic

    def read(self, file: Input, facts: Facts) -> Iterator[Batch]:
        """See `Reader.read`."""
        facts |= {"addresses": PHYSICAL, "ranges": 0, "bytes outside whole pages": 0}
        with opened(file, facts) as image:
            while header := image.read(HEADER.size):
                first, last = self._range(file, image.position - len(header), header)
                facts["ranges"] += 1
                yield from self._pages(image, first, last + 1, facts)

    def _pages(self, image: Image, first: int, end: int, facts: Facts) -> Iterator[Batch]:
        return aligned(image, first, end, facts)

    def _range(self, file: Input, at: int, header: bytes) -> tuple[int, int]:
        place = f"byte {at}"
        if len(header) < HEADER.size:
            raise TraceError.at(file.path, place, "the header of a range is cut off", WHOLE)
        magic, version, first, last, _ = HEADER.unpack(header)
        if (magic, version) != (self.magic, self.version):
            wrong = f"magic {magic:#x}, version {version} is not that of a range, {self.magic:#x}, {self.version}"
            raise TraceError.at(file.path, place, wrong, "give a file that is not damaged")
        if last < first:
            wrong = f"a range ends at {last:#x}, before it begins at {first:#x}"
            raise TraceError.at(file.path, place, wrong, "give a file that is not damaged")
        return first, last


def aligned(image: Image, first: int, end: int, facts: Facts) -> Iterator[Batch]:
    """Page out the whole pages of the addresses `first` to `end - 1`, which the image has from its position on."""
    size, start = image.file.page_size, image.position
    begin, stop = -(-first // size), end // size
    facts["bytes outside whole pages"] += end - first - max(0, stop - begin) * size
    if stop > begin:
        image.skip(start + begin * size - first)
        yield from image.pages(begin, stop - begin)
    image.skip(start + end - first)
