"""Pages that a file holds as they are, read from its front to its end; holes are told apart where it has some."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Self

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.files import open_regular
from workloads.readers.base import Batch, Facts
from workloads.readers.input import Input
from workloads.traces.header_file import PAGE_SIZES
from workloads.traces.rawpages import BLOCK

Numbers = npt.NDArray[np.int64]
Pages = npt.NDArray[np.uint8]

WHOLE = "give the whole file"
ALIKE = "cannot be told from pages of zeros, the file has none"


class Image(ABC):
    """Bytes at a `position` that only moves on; what they turn out to be is counted in facts.

    `zero pages` of the facts are pages of zeros that the file has, `holes` are pages it has no bytes for: nothing was
    ever written there, and there is no event.
    """

    def __init__(self, file: Input, facts: Facts) -> None:
        self.file, self.position, self._facts = file, 0, facts
        self._size = file.page_size
        if self._size not in PAGE_SIZES:
            remedy = f"give a power of two from {PAGE_SIZES[0]} to {PAGE_SIZES[-1]}"
            raise TraceError.at(file.path, "page size", f"is {self._size}", remedy)
        facts.setdefault("events", "none given: every page is paged out, in order")
        facts.setdefault("zero pages", 0)
        facts.setdefault("holes", ALIKE)

    def __enter__(self) -> Self:
        return self

    @abstractmethod
    def __exit__(self, *error: object) -> None: ...

    @abstractmethod
    def read(self, count: int) -> bytes:
        """Return so many bytes, at most `BLOCK`; fewer at the end of the file."""

    @abstractmethod
    def skip(self, to: int) -> None:
        """Move on to a position, which may be behind the end."""

    @abstractmethod
    def _pages(self, count: int | None) -> Iterator[tuple[Numbers, Pages]]:
        """Yield whole pages from here on, and which they are; holes are left out. Stop where the file ends."""

    def head(self, count: int, what: str) -> bytes:
        """Return so many bytes. Raises TraceError if the file ends before."""
        at, data = self.position, self.read(count)
        if len(data) < count:
            raise TraceError.at(self.file.path, f"byte {at}", f"{what} is cut off", WHOLE)
        return data

    def pages(self, slot: int = 0, count: int | None = None) -> Iterator[Batch]:
        """Page out the next pages, all if `count` is None, to the slots from `slot` on.

        Raises TraceError, after the last whole page, where the file ends within a page, or before `count` pages.
        """
        start = self.position
        for numbers, pages in self._pages(count):
            self._facts["zero pages"] += zeros(pages)
            yield Batch.dump(pages, numbers.astype(np.uint64) + np.uint64(slot))
        whole, rest = divmod(self.position - start, self._size)
        if rest or (count is not None and whole < count):
            remedy = WHOLE if count is not None else "give whole pages, or the page size they have"
            place = f"page {slot + whole}"
            raise TraceError.at(self.file.path, place, f"has {rest} of {self._size} bytes", remedy)


class _Plain(Image):
    """A plain file; its file system may tell holes."""

    def __init__(self, file: Input, facts: Facts) -> None:
        super().__init__(file, facts)
        self._fd = open_regular(file.path, WHOLE, follow=True)
        self._length = os.fstat(self._fd).st_size
        if not self._length:
            os.close(self._fd)
            raise TraceError.at(file.path, "file", "is empty", WHOLE)
        self._data = 0, 0  # bytes that no hole is in, as asked last

    def __exit__(self, *error: object) -> None:
        os.close(self._fd)

    def read(self, count: int) -> bytes:
        data = os.pread(self._fd, count, min(self.position, self._length))
        self.position += len(data)
        return data

    def skip(self, to: int) -> None:
        self.position = max(self.position, to)

    def _pages(self, count: int | None) -> Iterator[tuple[Numbers, Pages]]:
        start, size = self.position, self._size
        left = max(0, self._length - start)
        there = left // size if count is None else min(count, left // size)
        number = 0
        while number < there:
            buffer, parts, filled = np.empty((min(BLOCK // size, there - number), size), np.uint8), [], 0
            while number < there and filled < len(buffer):
                first, stop = self._next(start, number, there)
                if first > number:
                    holes = self._facts["holes"]
                    self._facts["holes"] = (holes if isinstance(holes, int) else 0) + first - number
                got = self._fill(buffer[filled : filled + stop - first], start + first * size)
                parts.append(np.arange(first, first + got))
                filled, number = filled + got, first + got
                self.position = start + number * size
                there = there if got else number  # it became shorter meanwhile
            self.file.moved(min(self.position, self._length))
            if filled:
                yield np.concatenate(parts), buffer[:filled]
        if count is None or number < count:
            self.position = max(start, self._length)  # past the rest of a page

    def _next(self, start: int, number: int, there: int) -> tuple[int, int]:
        """The next pages with data, from page `number` on: the first, and the one after the last."""
        at = start + number * self._size
        if at >= self._data[1]:
            try:
                data = os.lseek(self._fd, at, os.SEEK_DATA)
                self._data = data, os.lseek(self._fd, data, os.SEEK_HOLE)
            except OSError:  # no data from here on
                return there, there
        first = max(number, (self._data[0] - start) // self._size)
        return min(first, there), min(there, -((start - self._data[1]) // self._size))

    def _fill(self, pages: Pages, at: int) -> int:
        done, whole = 0, pages.nbytes
        into = pages.reshape(-1).data
        while done < whole and (got := os.preadv(self._fd, [into[done:]], at + done)):
            done += got
        return done // self._size


class Streamed(Image):
    """What only comes in blocks, as the bytes of a compressed file do."""

    def __init__(self, file: Input, facts: Facts, blocks: Iterator[bytes]) -> None:
        super().__init__(file, facts)
        self._blocks = blocks
        self._block = memoryview(b"")

    def __exit__(self, *error: object) -> None:
        """Nothing is held open but by the blocks."""

    def _more(self) -> memoryview:
        if not self._block:
            self._block = memoryview(next(self._blocks, b""))
        return self._block

    def _take(self, count: int) -> memoryview:
        taken, self._block = self._block[:count], self._block[count:]
        self.position += len(taken)
        return taken

    def read(self, count: int) -> bytes:
        """See `Image.read`."""
        data = b""
        while len(data) < count and self._more():
            data += self._take(count - len(data))
        return data

    def skip(self, to: int) -> None:
        """See `Image.skip`."""
        while self.position < to and self._more():
            self._take(to - self.position)

    def _pages(self, count: int | None) -> Iterator[tuple[Numbers, Pages]]:
        number = 0
        while (count is None or number < count) and (block := self._more()):
            whole = len(block) // self._size
            whole = whole if count is None else min(whole, count - number)
            data = self._take(whole * self._size) if whole else self.read(self._size)
            whole = len(data) // self._size
            if whole:
                yield np.arange(number, number + whole), np.frombuffer(data, np.uint8).reshape(whole, self._size)
            number += whole


def opened(file: Input, facts: Facts) -> Image:
    """Return a file's bytes. Raises TraceError when it cannot be read, is no regular file, or is empty."""
    return Streamed(file, facts, file.blocks(BLOCK)) if file.compressed else _Plain(file, facts)


def zeros(pages: Pages) -> int:
    """Return how many pages are of zeros."""
    words = pages.view(np.uint64)
    perhaps = words[words[:, 0] == 0]
    return len(perhaps) - int(perhaps.any(axis=1).sum())
