"""`lzo`: as zram and zswap use it."""

from __future__ import annotations

from sim.compressors.compiled.lzo_decode import decompress_block
from sim.compressors.compiled.lzo_encode import TABLE_SIZE, bound, compress_block
from sim.compressors.exact import Codec, ExactCompressor, compressing, decompressing


class Lzo(ExactCompressor):
    """LZO1X-1, equal to the kernel's `lzo1x_1_compress`; compared with a live 6.18 kernel."""

    name = "lzo"
    codec = Codec(TABLE_SIZE, bound, compressing(compress_block), decompressing(decompress_block))
