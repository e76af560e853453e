"""LZO1X-1(15) with runs of zeros, the kernel's `lzo-rle`: batches of pages."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocators.borrow import borrow
from allocators.jit import entry
from sim.compressors.kernels.clock import clock_ns
from sim.compressors.kernels.lzo import decompress_pages  # a stream says itself which of the two it is
from sim.compressors.kernels.lzo_encode import TABLE_SIZE, bound, compress_block
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
        sizes[i] = compress_block(pages[i], streams[i], table, True)
        times[i] = clock_ns() - start
