"""LZ4, the kernel's `lz4`: batches of pages."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocators.borrow import borrow
from allocators.jit import entry
from sim.compressors.kernels.clock import clock_ns
from sim.compressors.kernels.lz4_decode import decompress_block
from sim.compressors.kernels.lz4_encode import TABLE_SIZE, bound, compress_block
from sim.compressors.kernels.memory import Bytes

__all__ = ["TABLE_SIZE", "bound", "compress_pages", "decompress_pages"]


@entry
def compress_pages(
    pages: Bytes,
    table: NDArray[np.uint16],
    streams: Bytes,
    sizes: NDArray[np.int32],
    times: NDArray[np.int64],
) -> None:
    """Compress each row of `pages` into the row of `streams`; sizes in bytes, times in ns; `table` is scratch."""
    pages, table, streams = borrow(pages), borrow(table), borrow(streams)
    for i in range(len(pages)):
        start = clock_ns()
        sizes[i] = compress_block(pages[i], streams[i], table)
        times[i] = clock_ns() - start


@entry
def decompress_pages(
    streams: Bytes,
    lengths: NDArray[np.int32],
    pages: Bytes,
    sizes: NDArray[np.int32],
    times: NDArray[np.int64],
) -> None:
    """Decompress each stream of the given length into the row of `pages`; sizes is -1 where it is corrupt."""
    streams, pages = borrow(streams), borrow(pages)
    for i in range(len(streams)):
        start = clock_ns()
        sizes[i] = decompress_block(streams[i], lengths[i], pages[i])
        times[i] = clock_ns() - start
