"""`lz4`: as zram and zswap use it."""

from __future__ import annotations

from typing import Any

from sim.compressors.compiled.lz4_decode import decompress_block
from sim.compressors.compiled.lz4_encode import TABLE_SIZE, bound, compress_block
from sim.compressors.exact import Codec, ExactCompressor, compressing, decompressing
from sim.errors import CompressorError

MOST = 65537  # ACCELERATION_MAX of liblz4; the kernel has no limit, nor can more speed up a search in one page


class Lz4(ExactCompressor):
    """LZ4, equal to the kernel's `LZ4_compress_fast`; compared with a live 6.18 kernel.

    `acceleration`: how fast the search gives up, 1 (the default) or more. zram takes it since 6.12, as `level=` in
    algorithm_params (drivers/block/zram/backend_lz4.c).
    """

    name = "lz4"
    codec = Codec(TABLE_SIZE, bound, compressing(compress_block), decompressing(decompress_block))

    def __init__(self, acceleration: int = 1) -> None:
        if not 1 <= acceleration <= MOST:
            raise CompressorError(f"lz4:acceleration={acceleration}: give 1 to {MOST}")
        super().__init__()
        self.acceleration = acceleration
        self.effort = (acceleration,)

    @property
    def config(self) -> dict[str, Any]:
        """See `Compressor.config`: plain `lz4` is acceleration 1, which will not change."""
        return {"acceleration": self.acceleration} if self.acceleration > 1 else {}

    @property
    def algorithm_params(self) -> str:
        """See `Compressor.algorithm_params`."""
        return f"level={self.acceleration}" if self.acceleration > 1 else ""
