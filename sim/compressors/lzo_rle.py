"""`lzo-rle`: as zram and zswap use it."""

from __future__ import annotations

from sim.compressors.compiled.lzo_encode import compress_block_with_zeros
from sim.compressors.exact import ExactCompressor, compressing
from sim.compressors.lzo import Lzo


class LzoRle(ExactCompressor):
    """LZO1X-1 with runs of zeros, equal to the kernel's `lzorle1x_1_compress`; compared with a live 6.18 kernel."""

    name = "lzo-rle"
    codec = Lzo.codec._replace(compress_pages=compressing(compress_block_with_zeros))
