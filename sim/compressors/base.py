"""The contract of every compressor: a page in, a stream out, and back, and the times of both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cache, partial
from time import perf_counter_ns
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from allocators.configured import Configured
from sim.errors import CodecError, CompressorError

Pages = NDArray[np.uint8]
"""Pages by rows: uint8[count, page_size]."""
Measures = tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]
"""Size of each page's stream in bytes, nanoseconds to compress it, nanoseconds to decompress it."""
Buffer = bytes | bytearray | memoryview
Call = Callable[[Buffer], bytes]

BATCH = 64
"""Pages compressed before they are decompressed: few, so that memory is reused, but enough to forget each other."""


def _nothing() -> None:
    pass


class Compressor(Configured, ABC):
    """A compressor; its parameters are its constructor's arguments, JSON-safe.

    An object serves one thread at a time; it can be sent to another process, where it is rebuilt.
    """

    parallel: ClassVar[Literal["threads", "processes"]] = "processes"
    """What uses several cores: threads where the work runs without the GIL, processes otherwise."""

    @property
    @abstractmethod
    def version(self) -> str:
        """What the sizes depend on besides name and parameters: a library and its version, or a revision."""

    @property
    def algorithm_params(self) -> str:
        """What its parameters are called in `algorithm_params` of a zram device (Linux 6.12); empty for defaults."""
        return ""

    @abstractmethod
    def compress(self, page: Buffer) -> bytes:
        """The stream of one page (anything with the buffer protocol), without any header of our own."""

    @abstractmethod
    def decompress(self, data: Buffer, size: int) -> bytes:
        """The `size` bytes a stream was made from. Raises CodecError for a stream that gives anything else."""

    @property
    def config(self) -> dict[str, Any]:
        """All arguments: sizes are kept under the spec, which must not change when defaults do."""
        return self.arguments

    def measure(self, pages: Pages, prepare: Callable[[], object] = _nothing) -> Measures:
        """Compress each page once, check that it decompresses to itself, and time both.

        Within a batch all compressions come before all decompressions, so that neither warms the branch predictor for
        the other; `prepare` is called before each of them (to empty the caches, for instance). Raises CodecError,
        naming the page by its row.
        """
        if pages.ndim != 2 or pages.dtype != np.uint8:
            raise CompressorError(f"pages must be uint8[count, page_size], not {pages.dtype}{list(pages.shape)}")
        count = len(pages)
        sizes = np.empty(count, np.int32)
        times = np.empty((2, count), np.int64)
        for start in range(0, count, BATCH):
            rows = slice(start, min(start + BATCH, count))
            sizes[rows], times[0, rows], times[1, rows] = self._measure_batch(pages[rows], start, prepare)
        return sizes, times[0], times[1]

    def calls(self, page_size: int) -> tuple[Call, Call]:
        """The two calls that `measure` times, for pages of `page_size` bytes."""
        return self.compress, lambda data: self.decompress(data, page_size)

    def _measure_batch(self, pages: Pages, first: int, prepare: Callable[[], object]) -> Measures:
        """`measure` for a few pages, the first of which is called `first` in errors."""
        originals = [page.tobytes() for page in pages]
        compress, decompress = self.calls(pages.shape[1])
        prepare()
        streams, compress_ns = self._timed(compress, originals, first)
        prepare()
        restored, decompress_ns = self._timed(decompress, streams, first)
        if restored != originals:
            wrong = next(i for i, page in enumerate(originals) if restored[i] != page)
            raise self._mismatch(first + wrong)
        return np.fromiter(map(len, streams), np.int32, len(streams)), compress_ns, decompress_ns

    def _timed(self, call: Call, inputs: Sequence[bytes], first: int) -> tuple[list[bytes], NDArray[np.int64]]:
        """Outputs and nanoseconds of each call, less those of a call that does nothing."""
        outputs: list[bytes] = []
        try:
            times = _times(call, inputs, outputs)
        except Exception as error:
            raise CodecError(f"{self.spec}: page {first + len(outputs)}: {error}") from error
        return outputs, np.maximum(times - empty_call_ns(), 1)

    def _mismatch(self, page: int) -> CodecError:
        return CodecError(f"{self.spec}: page {page} does not decompress to itself")

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (type(self), self.config)


def _times(call: Call, inputs: Sequence[bytes], outputs: list[bytes]) -> NDArray[np.int64]:
    """Nanoseconds of each call, with one reading of the clock a call; what they return goes into `outputs`."""
    keep = outputs.append
    readings = [perf_counter_ns()]
    note, clock = readings.append, perf_counter_ns
    for data in inputs:
        keep(call(data))
        note(clock())
    at = np.array(readings, dtype=np.int64)
    return at[1:] - at[:-1]


@cache
def empty_call_ns() -> int:
    """The overhead of the loop and of a call from Python, measured with a call that does nothing.

    What is left in the codecs' times is that a library looks at its arguments and makes a `bytes` object of its output.
    """
    return int(np.median(_times(partial(bytes), [bytes(4096)] * 2000, [])))


def _remade(cls: Callable[..., Compressor], config: dict[str, Any]) -> Compressor:
    return cls(**config)
