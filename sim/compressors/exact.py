"""Compressors equal to the kernel's, byte count for byte count, compiled from `sim.compressors.kernels`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sim.compressors.base import Buffer, Compressor, Measures, Pages
from sim.compressors.errors import CodecError, CompressorError
from sim.compressors.kernels.clock import time_nothing

LARGEST_PAGE = 1 << 16


class ExactCompressor(Compressor):
    """A codec whose kernels work on batches without the GIL, and read the clock themselves."""

    parallel = "threads"
    kernels: ClassVar[ModuleType]
    """Module with `TABLE_SIZE`, `bound`, `compress_pages` and `decompress_pages`."""

    def __init__(self) -> None:
        self._outputs: dict[int, Pages] = {}

    @property
    def version(self) -> str:
        """The revision of the kernels; counted up when a size changes."""
        return "1"

    def compress(self, page: Buffer) -> bytes:
        """See `Compressor.compress`."""
        row = np.frombuffer(page, np.uint8)[np.newaxis]
        streams, sizes, _ = self._compressed(row)
        return streams[0, : sizes[0]].tobytes()

    def decompress(self, data: Buffer, size: int) -> bytes:
        """See `Compressor.decompress`."""
        stream = np.frombuffer(data, np.uint8)[np.newaxis]
        pages, sizes, _ = self._decompressed(stream, np.array([len(data)], np.int32), size)
        if sizes[0] != size:
            got = "a corrupt stream" if sizes[0] < 0 else f"{sizes[0]} bytes instead of {size}"
            raise CodecError(f"{self.spec}: {got}")
        return pages.tobytes()

    def _measure_batch(self, pages: Pages, first: int, prepare: Callable[[], object]) -> Measures:
        page_size = pages.shape[1]
        prepare()
        streams, sizes, compress_ns = self._compressed(pages)
        prepare()
        restored, lengths, decompress_ns = self._decompressed(streams, sizes, page_size)
        if not np.array_equal(restored, pages) or (lengths != page_size).any():
            wrong = (restored != pages).any(axis=1) | (lengths != page_size)
            raise self._mismatch(first + int(wrong.argmax()))
        return sizes, compress_ns, decompress_ns

    def _compressed(self, pages: Pages) -> tuple[Pages, NDArray[np.int32], NDArray[np.int64]]:
        if pages.shape[1] > LARGEST_PAGE:
            raise CompressorError(f"{self.spec}: a page of {pages.shape[1]} bytes; the largest has {LARGEST_PAGE}")
        table = np.zeros(self.kernels.TABLE_SIZE, np.uint16)
        return self._run(self.kernels.compress_pages, self.kernels.bound(pages.shape[1]), _readonly(pages), table)

    def _decompressed(
        self, streams: Pages, lengths: NDArray[np.int32], page_size: int
    ) -> tuple[Pages, NDArray[np.int32], NDArray[np.int64]]:
        return self._run(self.kernels.decompress_pages, page_size, _readonly(streams), lengths)

    def _run(
        self, kernel: Any, width: int, rows: Pages, *more: Any
    ) -> tuple[Pages, NDArray[np.int32], NDArray[np.int64]]:
        """Call a kernel on rows; its output rows of `width` bytes, their sizes, and nanoseconds."""
        count = len(rows)
        output = self._output(count, width)
        sizes, times = np.zeros(count, np.int32), np.zeros(count, np.int64)
        kernel(rows, *more, output, sizes, times)
        return output, sizes, np.maximum(times - clock_reading_ns(), 1)

    def _output(self, count: int, width: int) -> Pages:
        """Zeroed rows to write to, valid until the next call for this width.

        Memory is kept, and touched before the kernel runs, because the first touch would count as the kernel's time.
        """
        kept = self._outputs.get(width)
        if kept is None or len(kept) < count:
            kept = self._outputs[width] = np.empty((count, width), np.uint8)
        kept[:count] = 0
        return kept[:count]


@cache
def clock_reading_ns() -> int:
    """What the kernels' readings of the clock take by themselves."""
    times = np.zeros(2000, np.int64)
    time_nothing(times)
    return int(np.median(times))


def _readonly(rows: Pages) -> Pages:
    """The same rows in the one form the kernels are compiled for."""
    view = np.ascontiguousarray(rows).view()
    view.flags.writeable = False
    return view
