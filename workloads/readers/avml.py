"""Images of physical memory as `avml --compress` writes them: LiME's ranges, compressed in Snappy's framing.

Source: src/image.rs and src/io/snappy.rs of AVML (microsoft/avml); framing_format.txt of Snappy (google/snappy).
Without `--compress`, AVML writes LiME's format.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import cramjam

from workloads.errors import TraceError
from workloads.readers.base import Batch, Facts
from workloads.readers.image import Image, Streamed
from workloads.readers.lime import Lime, aligned
from workloads.traces.rawpages import BLOCK

IDENTIFIER = b"\xff\x06\x00\x00sNaPpY"
DATA = (0, 1)  # kinds of chunks that hold some, compressed or not; those from 128 on may be skipped
CHUNK = 80_000  # bytes; of data a chunk has at most 65,536, compressed at most 76,490, and a checksum


class Avml(Lime):
    """Each page goes to the slot of its physical page number, in the file's order."""

    name: ClassVar[str] = "avml"
    title: ClassVar[str] = "AVML image of physical memory, compressed"
    magic: ClassVar[int] = 0x4C4D5641
    version: ClassVar[int] = 2

    def _pages(self, image: Image, first: int, end: int, facts: Facts) -> Iterator[Batch]:
        facts["left out"] = "by avml: parts of up to 16 MiB that are all zeros"
        frames = _joined(_frames(image, end - first))
        yield from aligned(Streamed(image.file, facts, frames), first, end, facts)
        for _ in frames:  # up to the count behind the last one
            pass


def _joined(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Join parts to blocks; what came before a fault is yielded before it is raised."""
    block = bytearray()
    try:
        for part in parts:
            block += part
            if len(block) >= BLOCK // 4:
                yield bytes(block)
                block.clear()
    except TraceError:
        if block:
            yield bytes(block)
        raise
    if block:
        yield bytes(block)


def _frames(image: Image, size: int) -> Iterator[bytes]:
    """Decode the `size` bytes of a range. Raises TraceError."""

    def refuse(at: int, wrong: str) -> TraceError:
        return TraceError.at(image.file.path, f"byte {at}", wrong, "give a file that is not damaged")

    start, done = image.position, 0
    while done < size:
        at = image.position
        head = image.head(4, "a chunk")
        kind, length = head[0], int.from_bytes(head[1:], "little")
        if 1 < kind < 128 or (kind in DATA and length > CHUNK):
            raise refuse(at, f"there is no chunk of Snappy's framing format (kind {kind}, {length:,} bytes)")
        if kind not in DATA:
            image.skip(image.position + length)
            continue
        chunk = image.head(length, "a chunk")
        try:
            data = bytes(cramjam.snappy.decompress(IDENTIFIER + head + chunk))
        except cramjam.DecompressionError as error:
            raise refuse(at, f"a chunk is damaged ({error})") from error
        done += len(data)
        if done > size:
            raise refuse(at, f"the chunks of a range have more than its {size:,} bytes")
        yield data
    at, length = image.position, image.position - start
    if int.from_bytes(image.head(8, "the length of the chunks"), "little") != length:
        raise refuse(at, f"does not tell the {length:,} bytes of the chunks before")
