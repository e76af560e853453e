"""A file from elsewhere, as readers see it: its beginning, its blocks, its lines, its neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.progress import Progress
from workloads.readers.stream import lines
from workloads.traces.rawpages import CODECS, Moved, blocks, raw_pages

FIRST = 1 << 16  # bytes that a format is told by
NAMES = 1 << 12  # of files in a folder that it is told by


@dataclass(frozen=True)
class Head:
    """What a format is told by: `data`, the first bytes, decompressed, or of a folder the `names` in it.

    `path` is that of the file; its name without `.gz`, `.zst` or `.xz` is `name`.
    """

    path: Path
    data: bytes = b""
    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, path: Path) -> Head:
        """Look at a file or folder; of what cannot be read, the beginning is empty."""
        if path.is_dir():
            return cls(
                path, names=frozenset(child.name for child, _ in zip(path.iterdir(), range(NAMES), strict=False))
            )
        with suppress(TraceError, OSError):
            return cls(path, next(blocks(path, FIRST, lambda _: None), b""))
        return cls(path)

    @property
    def name(self) -> str:
        """The file's name without the ending of a compressed one."""
        return self.path.stem if self.path.suffix in CODECS else self.path.name

    @cached_property
    def lines(self) -> list[bytes]:
        """The first whole lines, without their ends; none of what is not text."""
        if b"\0" in self.data:
            return []
        first = self.data.splitlines()
        return first if len(self.data) < FIRST else first[:-1]


class Input:
    """A file or folder to be read, with pages of `page_size` bytes; tells a progress the bytes of it that were read.

    `n_pages` is how many pages another file has for its events, None if there is no such file.
    """

    def __init__(self, path: Path, page_size: int, progress: Progress | Meter) -> None:
        self.path, self.page_size = path, page_size
        self.n_pages: int | None = None
        self._meter = progress if isinstance(progress, Meter) else Meter(progress)
        self._meter.expect(path)

    def blocks(self, size: int) -> Iterator[bytes]:
        """Yield the decompressed bytes in blocks of `size`, the last one shorter. Raises TraceError."""
        yield from blocks(self.path, size, self._meter.moved(self.path))

    def pages(self) -> Iterator[npt.NDArray[np.uint8]]:
        """Yield concatenated pages as uint8[n, page_size]; TraceError, after the last whole one, for a rest."""
        yield from raw_pages(self.path, self.page_size, self._meter.moved(self.path))

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield blocks of whole lines, and the number of the first line of each, from 1. Raises TraceError."""
        number = 1
        for block in lines(self.path, self._meter.moved(self.path)):
            yield number, block
            number += block.count(b"\n")

    @property
    def compressed(self) -> bool:
        """Whether only `blocks` tell its bytes; a plain file may be read at any place."""
        return self.path.suffix in CODECS

    def moved(self, position: int) -> None:
        """Tell that the bytes up to here were read, for who reads the file by other means."""
        self._meter.moved(self.path)(position)

    def other(self, name: str) -> Input:
        """A file of this folder, or one beside this file, that is read besides."""
        return self.also((self.path if self.path.is_dir() else self.path.parent) / name)

    def opened(self) -> list[Path]:
        """The files that were read so far, or will be."""
        return self._meter.files()

    def also(self, path: Path) -> Input:
        """Any other file that is read besides."""
        return Input(path, self.page_size, self._meter)


class Meter:
    """The bytes read of all files, of the bytes in all."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._sizes: dict[Path, int] = {}
        self._read: dict[Path, int] = {}

    def expect(self, path: Path) -> None:
        """Count a file in."""
        with suppress(OSError):
            if path.is_file():
                self._sizes[path] = path.stat().st_size

    def files(self) -> list[Path]:
        """Those that were counted in."""
        return list(self._sizes)

    def moved(self, path: Path) -> Moved:
        """What tells the bytes of a file that were read."""

        def tell(position: int) -> None:
            self._read[path] = position
            self._progress(sum(self._read.values()), sum(self._sizes.values()))

        return tell
