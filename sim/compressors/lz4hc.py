"""`lz4hc`: the LZ4 format with a thorough search."""

from __future__ import annotations

from functools import partial

import lz4
import lz4.block

from sim.compressors.base import Call
from sim.compressors.library import LevelledCompressor


class Lz4hc(LevelledCompressor):
    """`lz4.block.compress(mode="high_compression")`; level 9 is the kernel's default (LZ4HC_DEFAULT_CLEVEL).

    The kernel's lib/lz4/lz4hc_compress.c is an older liblz4 (1.7.3): of the 1,040 pages of tests/golden/zram, zram of
    6.18.15 stored 615 in the size that liblz4 1.10 gives, and all of them in 0.07 % more. From level 10 on newer ones
    use an optimal parse it does not have.
    """

    name = "lz4hc"
    parallel = "threads"
    faults = (lz4.block.LZ4BlockError,)
    levels = range(1, 13)

    def __init__(self, level: int = 9) -> None:
        super().__init__(level)

    @property
    def version(self) -> str:
        """The version of liblz4."""
        return f"liblz4 {lz4.library_version_string()}"

    def calls(self, page_size: int) -> tuple[Call, Call]:
        """See `Compressor.calls`."""
        return (
            partial(lz4.block.compress, mode="high_compression", compression=self.level, store_size=False),
            partial(lz4.block.decompress, uncompressed_size=page_size),
        )
