"""Files from elsewhere, plain, gzip or zstd, read as a stream of blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workloads.errors import TraceError
from workloads.parquet import reading

CODECS = {".gz": "gzip", ".zst": "zstd"}
BLOCK = 1 << 22

Moved = Callable[[int], None]  # called with the bytes of the file itself read so far


def blocks(path: Path, size: int, moved: Moved) -> Iterator[bytes]:
    """Yield the decompressed bytes in blocks of `size`, the last one shorter.

    Raises TraceError when the file is missing, empty, no gzip or zstd as its name says, or truncated.
    """
    remedy = "give a complete file, plain, .gz or .zst"
    done = 0
    with reading(path, "file", remedy):
        raw = pa.OSFile(str(path))
    if not raw.size():
        raise TraceError.at(path, "file", "is empty", remedy)
    codec = CODECS.get(path.suffix)
    stream = pa.CompressedInputStream(raw, codec) if codec else raw
    try:
        while True:
            with reading(path, f"after {done} decompressed bytes", remedy):
                block = stream.read(size)
            if not block:
                return
            done += len(block)
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
    """Yield blocks of whole lines; blank lines at the end of the file are dropped."""
    rest = b""
    for block in blocks(path, BLOCK, moved):
        rest += block
        cut = rest.rstrip().rfind(b"\n") + 1  # the last line with text waits: only blank ones may follow it
        if cut:
            yield rest[:cut]
            rest = rest[cut:]
    if rest.strip():
        yield rest.rstrip()
