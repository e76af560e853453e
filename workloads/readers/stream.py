"""Files from elsewhere, plain, gzip or zstd, read as a stream of blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workloads.errors import TraceError
from workloads.files import arrow_file
from workloads.limits import check_growth
from workloads.traces.parquet import reading

CODECS = {".gz": "gzip", ".zst": "zstd"}
BLOCK = 1 << 22
LINE = 1 << 16  # bytes of the longest line

Moved = Callable[[int], None]  # called with the bytes of the file itself read so far


def blocks(path: Path, size: int, moved: Moved) -> Iterator[bytes]:
    """Yield the decompressed bytes in blocks of `size`, the last one shorter.

    Raises TraceError when the file is missing, no regular one, empty, no gzip or zstd as its name says, truncated, or
    becomes more than it may.
    """
    remedy = "give a complete file, plain, .gz or .zst"
    raw = arrow_file(path, remedy, follow=True)
    whole = raw.size()
    if not whole:
        raise TraceError.at(path, "file", "is empty", remedy)
    codec = CODECS.get(path.suffix)
    stream = pa.CompressedInputStream(raw, codec) if codec else raw
    done = 0
    try:
        while True:
            place = f"after {done} decompressed bytes"
            with reading(path, place, remedy):
                block = stream.read(size)
            if not block:
                return
            done += len(block)
            check_growth(path, place, whole, done)
            moved(raw.tell())
            yield block
    finally:
        raw.close()


def raw_pages(path: Path, page_size: int, moved: Moved) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield concatenated pages as uint8[n, page_size]; TraceError when the last one is not complete."""
    count = 0
    for block in blocks(path, BLOCK // page_size * page_size, moved):
        whole, rest = divmod(len(block), page_size)
        if rest:
            raise TraceError.at(
                path,
                f"page {count + whole}",
                f"has {rest} of {page_size} bytes",
                "give whole pages, or the page size they have",
            )
        yield np.frombuffer(block, np.uint8).reshape(-1, page_size)
        count += whole


def lines(path: Path, moved: Moved) -> Iterator[bytes]:
    """Yield blocks of whole lines; blank lines at the end of the file are dropped. TraceError for a line too long."""
    return whole_lines(path, blocks(path, BLOCK, moved))


def whole_lines(file: object, parts: Iterable[bytes]) -> Iterator[bytes]:
    """Cut what comes in any parts into blocks of whole lines, as `lines` does."""
    rest, blank, line = b"", 0, 1  # what waits: the beginning of a line, behind blank ones that may be the last
    for part in parts:
        block = rest + part
        cut = block.rfind(b"\n") + 1
        text = len(block[:cut].rstrip())
        end = block.index(b"\n", text) + 1 if text else 0  # of the last line with text
        if text:
            yield from _blank(blank)
            yield block[:end]
            line += blank + block.count(b"\n", 0, end)
            blank = 0
        blank += block.count(b"\n", end, cut)
        rest = block[cut:]
        if len(rest) > LINE:
            wrong = f"is longer than {LINE:,} bytes"
            raise TraceError.at(file, f"line {line + blank}", wrong, "give a text file, one row per line")
    if rest.strip():
        yield from _blank(blank)
        yield rest.rstrip()


def _blank(count: int) -> Iterator[bytes]:
    for start in range(0, count, LINE):
        yield b"\n" * min(LINE, count - start)
