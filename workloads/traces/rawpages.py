"""Pages as raw bytes one after the other, in a file plain or compressed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workloads.errors import TraceError
from workloads.files import arrow_file
from workloads.limits import check_growth
from workloads.traces.header_file import PAGE_SIZES
from workloads.traces.parquet import reading
from workloads.traces.xz import Xz

CODECS = {".gz": "gzip", ".zst": "zstd", ".xz": "xz"}
BLOCK = 1 << 22
STEP = 1 << 16  # bytes decompressed at once: what comes before damage is not lost

Moved = Callable[[int], None]  # called with the bytes of the file itself read so far


def blocks(path: Path, size: int, moved: Moved) -> Iterator[bytes]:
    """Yield the decompressed bytes in blocks of `size`, the last one shorter.

    Raises TraceError when the file is missing, no regular one, empty, not compressed as its name says, truncated, or
    becomes more than it may.
    """
    remedy = "give a complete file, plain, .gz, .zst or .xz"
    raw = arrow_file(path, remedy, follow=True)
    whole = raw.size()
    if not whole:
        raise TraceError.at(path, "file", "is empty", remedy)
    codec = CODECS.get(path.suffix)
    stream = Xz(raw) if codec == "xz" else pa.CompressedInputStream(raw, codec) if codec else raw
    done = 0
    try:
        while True:
            block, fault = _read(stream, size if codec is None else STEP, size)
            if block:
                check_growth(path, f"after {done} decompressed bytes", whole, done + len(block))
                done += len(block)
                moved(raw.tell())
                yield block
            if fault is not None:
                with reading(path, f"after {done} decompressed bytes", remedy):
                    raise fault
            if len(block) < size:
                return
    finally:
        raw.close()


def _read(stream: Any, step: int, size: int) -> tuple[bytes, Exception | None]:
    """The next bytes, `size` unless the file ends or is damaged; and what is wrong then."""
    parts, left = [], size
    try:
        while left and (part := stream.read(min(step, left))):
            parts.append(part)
            left -= len(part)
    except (pa.ArrowException, OSError) as error:
        return b"".join(parts), error
    return b"".join(parts) if len(parts) != 1 else parts[0], None


def raw_pages(path: Path, page_size: int, moved: Moved) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield concatenated pages as uint8[n, page_size]; TraceError when the last one is not complete."""
    if page_size not in PAGE_SIZES:
        remedy = f"give a power of two from {PAGE_SIZES[0]} to {PAGE_SIZES[-1]}"
        raise TraceError.at(path, "page size", f"is {page_size}", remedy)
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
