"""`lz4`: as zram and zswap use it."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sim.compressors.compiled import lz4_dictionary
from sim.compressors.compiled.lz4_decode import decompress_block
from sim.compressors.compiled.lz4_encode import TABLE_SIZE, bound, compress_block
from sim.compressors.dictionary import WithDictionary
from sim.compressors.exact import Arrays, Codec, ExactCompressor, compressing, decompressing
from sim.errors import CompressorError

MOST = 65537  # ACCELERATION_MAX of liblz4; the kernel has no limit, nor can more speed up a search in one page


class Lz4Format(WithDictionary, ExactCompressor):
    """A codec of the LZ4 format; with a dictionary it is another."""

    codec: Codec
    with_dictionary: ClassVar[Codec]

    def __init__(self, dict: str) -> None:
        super().__init__()
        self.take_dictionary(dict)
        if self.dict:
            self.codec = self.with_dictionary

    def room(self, page_size: int) -> NDArray[np.uint8]:
        """The dictionary, if there is one, with room for a page behind it."""
        return np.frombuffer(self.dictionary + bytes(page_size), np.uint8).copy()

    def _to_decompress(self, page_size: int) -> Arrays:
        return (self.room(page_size),) if self.dict else ()


class Lz4(Lz4Format):
    """LZ4, equal to the kernel's `LZ4_compress_fast`; compared with a live 6.18 kernel.

    `acceleration`: how fast the search gives up, 1 (the default) or more. zram takes it since 6.12, as `level=` in
    algorithm_params (drivers/block/zram/backend_lz4.c), where less than 1 is 1; 7.2 refuses that.

    `dict`: a dictionary of 8 bytes to 64 KiB, as zram takes it since 6.12: a file, or the digest of one given before.
    Equal to `LZ4_compress_fast_continue` (see `compiled.lz4_dictionary`).
    """

    name = "lz4"
    codec = Codec(TABLE_SIZE, bound, compressing(compress_block), decompressing(decompress_block))
    with_dictionary = Codec(0, bound, lz4_dictionary.compress_pages, lz4_dictionary.decompress_pages)
    shortest, longest = lz4_dictionary.LEAST, lz4_dictionary.MOST

    def __init__(self, acceleration: int = 1, dict: str = "") -> None:
        if not 1 <= acceleration <= MOST:
            raise CompressorError(f"lz4:acceleration={acceleration}: give 1 to {MOST}")
        super().__init__(dict)
        self.acceleration = acceleration
        self.effort = (acceleration,)

    @property
    def config(self) -> dict[str, Any]:
        """See `Compressor.config`: plain `lz4` is acceleration 1, which will not change."""
        return {name: value for name, value in super().config.items() if (name, value) != ("acceleration", 1)}

    @property
    def algorithm_params(self) -> str:
        """See `Compressor.algorithm_params`."""
        level = f"level={self.acceleration}" if self.acceleration > 1 else ""
        return f"{level} {super().algorithm_params}".strip()

    def _to_compress(self, page_size: int) -> Arrays:
        if not self.dict:
            return super()._to_compress(page_size)
        loaded = np.empty(lz4_dictionary.TABLE_SIZE, np.int32)
        lz4_dictionary.load(np.frombuffer(self.dictionary, np.uint8), loaded)
        return self.room(page_size), loaded, np.empty_like(loaded)
