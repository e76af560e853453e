"""Compressors equal to the kernel's, byte count for byte count, compiled."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from allocators.compiled.borrow import borrow
from allocators.compiled.jit import entry
from sim.compressors.base import Buffer, Compressor, Measures, Pages
from sim.compressors.compiled.clock import clock_ns, time_nothing
from sim.compressors.compiled.memory import Bytes
from sim.errors import CodecError, CompressorError

LARGEST_PAGE = 1 << 16
Arrays = tuple[NDArray[Any], ...]


class Codec(NamedTuple):
    """The compiled parts of a codec."""

    table_size: int  # entries of the encoder's scratch table, uint16
    bound: Callable[[int], int]  # bytes the stream of an incompressible page of so many bytes takes
    # Each row of `pages` into a row of `streams`, or back: sizes in bytes, -1 for a corrupt stream; times in ns.
    compress_pages: Callable[..., None]  # pages, table, streams, sizes, times, and the effort if there is one
    decompress_pages: Callable[..., None]  # streams, lengths, pages, sizes, times


def compressing(compress_block: Callable[..., int]) -> Callable[..., None]:
    """`compress_pages` by a compiled function that compresses one block: block, stream, table, effort."""

    @entry
    def compress_pages(
        pages: Bytes,
        table: NDArray[np.uint16],
        streams: Bytes,
        sizes: NDArray[np.int32],
        times: NDArray[np.int64],
        *effort: int,
    ) -> None:
        pages, table, streams = borrow(pages), borrow(table), borrow(streams)
        for i in range(len(pages)):
            start = clock_ns()
            sizes[i] = compress_block(pages[i], streams[i], table, *effort)
            times[i] = clock_ns() - start

    return compress_pages


def decompressing(decompress_block: Callable[[Bytes, int, Bytes], int]) -> Callable[..., None]:
    """`decompress_pages` by a compiled function that decompresses one stream."""

    @entry
    def decompress_pages(
        streams: Bytes, lengths: NDArray[np.int32], pages: Bytes, sizes: NDArray[np.int32], times: NDArray[np.int64]
    ) -> None:
        streams, pages = borrow(streams), borrow(pages)
        for i in range(len(streams)):
            start = clock_ns()
            sizes[i] = decompress_block(streams[i], lengths[i], pages[i])
            times[i] = clock_ns() - start

    return decompress_pages


class ExactCompressor(Compressor):
    """A compressor whose compiled loops work on batches without the GIL, and read the clock themselves."""

    parallel = "threads"
    codec: Codec
    effort: tuple[int, ...] = ()
    """What its encoder takes besides: how hard it is to search."""

    def __init__(self) -> None:
        self._outputs: dict[int, Pages] = {}

    @property
    def version(self) -> str:
        """The revision of the codec; counted up when a size changes."""
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
        bound, scratch = self.codec.bound(pages.shape[1]), self._to_compress(pages.shape[1])
        return self._run(self.codec.compress_pages, bound, _readonly(pages), *scratch, effort=self.effort)

    def _decompressed(
        self, streams: Pages, lengths: NDArray[np.int32], page_size: int
    ) -> tuple[Pages, NDArray[np.int32], NDArray[np.int64]]:
        scratch = self._to_decompress(page_size)
        return self._run(self.codec.decompress_pages, page_size, _readonly(streams), lengths, *scratch)

    def _to_compress(self, page_size: int) -> Arrays:
        """What the loop that compresses takes besides pages and output: the encoder's table."""
        return (np.zeros(self.codec.table_size, np.uint16),)

    def _to_decompress(self, page_size: int) -> Arrays:
        """What the loop that decompresses takes besides streams and output."""
        return ()

    def _run(
        self, loop: Any, width: int, rows: Pages, *more: Any, effort: tuple[int, ...] = ()
    ) -> tuple[Pages, NDArray[np.int32], NDArray[np.int64]]:
        """Call a loop on rows; its output rows of `width` bytes, their sizes, and nanoseconds."""
        count = len(rows)
        output = self._output(count, width)
        sizes, times = np.zeros(count, np.int32), np.zeros(count, np.int64)
        loop(rows, *more, output, sizes, times, *effort)
        return output, sizes, np.maximum(times - clock_reading_ns(), 1)

    def _output(self, count: int, width: int) -> Pages:
        """Zeroed rows to write to, valid until the next call for this width.

        Memory is kept, and touched before the loop runs, because the first touch would count as the loop's time.
        """
        kept = self._outputs.get(width)
        if kept is None or len(kept) < count:
            kept = self._outputs[width] = np.empty((count, width), np.uint8)
        kept[:count] = 0
        return kept[:count]


@cache
def clock_reading_ns() -> int:
    """What the loops' readings of the clock take by themselves."""
    times = np.zeros(2000, np.int64)
    time_nothing(times)
    return int(np.median(times))


def _readonly(rows: Pages) -> Pages:
    """The same rows in the one form the loops are compiled for."""
    view = np.ascontiguousarray(rows).view()
    view.flags.writeable = False
    return view
