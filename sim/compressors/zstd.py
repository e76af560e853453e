"""`zstd`: Zstandard with the parameters the kernel passes."""

from __future__ import annotations

import zstandard

from sim.compressors.base import Buffer, Call
from sim.compressors.library import LevelledCompressor
from sim.errors import CodecError


class Zstd(LevelledCompressor):
    """zstandard with the parameters for a source of one page, as `zstd_get_params(level, PAGE_SIZE)` gives them.

    Source: drivers/block/zram/backend_zstd.c of 6.12 to 6.18 (level 3 unless told otherwise by `level=` in
    algorithm_params, which may be negative). The frame has the
    content size, no checksum and no dictionary id, as the kernel's. With level 3 and libzstd 1.5.7, which the kernel
    has since 6.15, sizes are equal to those that zram of 6.18.15 and 7.2.13 stored for the 1,040 pages of
    tests/golden/zram; other levels were not compared.
    """

    name = "zstd"
    parallel = "threads"
    faults = (zstandard.ZstdError,)
    levels = range(-(1 << 17), zstandard.MAX_COMPRESSION_LEVEL + 1)  # 0 is the default, negative ones are faster

    def __init__(self, level: int = 3) -> None:
        super().__init__(level)
        self._calls: dict[int, tuple[Call, Call]] = {}

    @property
    def version(self) -> str:
        """The version of libzstd."""
        return "libzstd " + ".".join(map(str, zstandard.ZSTD_VERSION))

    def calls(self, page_size: int) -> tuple[Call, Call]:
        """See `Compressor.calls`. The contexts are kept: making one takes as long as compressing a page."""
        if page_size not in self._calls:
            parameters = zstandard.ZstdCompressionParameters.from_level(
                self.level,
                source_size=page_size,
                write_content_size=True,
                write_checksum=False,
                write_dict_id=False,
            )
            compressor = zstandard.ZstdCompressor(compression_params=parameters)
            self._calls[page_size] = compressor.compress, zstandard.ZstdDecompressor().decompress
        return self._calls[page_size]

    def decompress(self, data: Buffer, size: int) -> bytes:
        """See `Compressor.decompress`."""
        try:  # a damaged header may claim any size, and the library would allocate it
            claimed = zstandard.frame_content_size(data)
        except self.faults as error:
            raise CodecError(f"{self.spec}: {error}") from error
        if claimed != size:
            raise CodecError(f"{self.spec}: a frame of {claimed} bytes instead of {size}")
        return super().decompress(data, size)
