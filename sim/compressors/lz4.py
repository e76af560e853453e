"""`lz4`: as zram and zswap use it."""

from __future__ import annotations

from sim.compressors.compiled.lz4_decode import decompress_block
from sim.compressors.compiled.lz4_encode import TABLE_SIZE, bound, compress_block
from sim.compressors.exact import Codec, ExactCompressor, compressing, decompressing


class Lz4(ExactCompressor):
    """LZ4, equal to the kernel's `LZ4_compress_default`; compared with a live 6.18 kernel."""

    name = "lz4"
    codec = Codec(TABLE_SIZE, bound, compressing(compress_block), decompressing(decompress_block))
