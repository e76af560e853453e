"""Compressors that are a Python package's calls."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from typing import ClassVar

from sim.compressors.base import Buffer, Call, Compressor
from sim.errors import CodecError, CompressorError


class LibraryCompressor(Compressor):
    """A compressor that is a library's: `calls` gives the bare calls, which `measure` times as they are."""

    faults: ClassVar[tuple[type[Exception], ...]]
    """What the library raises for a stream it cannot decompress."""

    @abstractmethod
    def calls(self, page_size: int) -> tuple[Call, Call]:
        """See `Compressor.calls`."""

    def compress(self, page: Buffer) -> bytes:
        """See `Compressor.compress`."""
        return self.calls(len(page))[0](page)

    def decompress(self, data: Buffer, size: int) -> bytes:
        """See `Compressor.decompress`."""
        try:
            page = self.calls(size)[1](data)
        except self.faults as error:
            raise CodecError(f"{self.spec}: {error}") from error
        if len(page) != size:
            raise CodecError(f"{self.spec}: {len(page)} bytes instead of {size}")
        return page


class LevelledCompressor(LibraryCompressor):
    """A library codec with one parameter, its level, which zram of 6.12 and later takes too."""

    levels: ClassVar[range]

    def __init__(self, level: int) -> None:
        if level not in self.levels:
            raise CompressorError(f"{self.name}:level={level}: levels go from {self.levels[0]} to {self.levels[-1]}")
        self.level = level

    @property
    def algorithm_params(self) -> str:
        """See `Compressor.algorithm_params`."""
        return "" if self.level == inspect.signature(type(self)).parameters["level"].default else f"level={self.level}"
