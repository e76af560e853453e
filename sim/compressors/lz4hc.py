"""`lz4hc`: the LZ4 format with a thorough search."""

from __future__ import annotations

import numpy as np

from sim.compressors.compiled import lz4hc_encode
from sim.compressors.compiled.lz4_decode import decompress_block
from sim.compressors.compiled.lz4_dictionary import MOST, decompress_pages
from sim.compressors.compiled.lz4_encode import bound
from sim.compressors.exact import Arrays, Codec, decompressing
from sim.compressors.lz4 import Lz4Format
from sim.errors import CompressorError

LEVELS = range(1, 17)
DEFAULT = 9


class Lz4hc(Lz4Format):
    """LZ4HC, equal to the kernel's `LZ4_compress_HC`; compared with zram of 6.18.15 and 7.2.13.

    `level`: 1 to 16 (LZ4HC_MAX_CLEVEL), 9 by default, each of which tries twice as many matches as the one before.
    zram takes it since 6.12 (drivers/block/zram/backend_lz4hc.c).

    `dict`: a dictionary of up to 64 KiB: a file, or the digest of one given before. The kernel enters it anew for each
    page, which takes longer than to compress one.
    """

    name = "lz4hc"
    codec = Codec(0, bound, lz4hc_encode.compress_pages, decompressing(decompress_block))
    with_dictionary = Codec(0, bound, lz4hc_encode.compress_pages, decompress_pages)
    longest = MOST

    def __init__(self, level: int = DEFAULT, dict: str = "") -> None:
        if level not in LEVELS:
            raise CompressorError(f"lz4hc:level={level}: levels go from {LEVELS[0]} to {LEVELS[-1]}")
        super().__init__(dict)
        self.level = level
        self.effort = (1 << (level - 1),)

    @property
    def algorithm_params(self) -> str:
        """See `Compressor.algorithm_params`."""
        level = f"level={self.level}" if self.level != DEFAULT else ""
        return f"{level} {super().algorithm_params}".strip()

    def _to_compress(self, page_size: int) -> Arrays:
        hashes, chains = np.empty(lz4hc_encode.HASHES, np.int32), np.empty(lz4hc_encode.CHAINS, np.uint16)
        return self.room(page_size), hashes, chains
