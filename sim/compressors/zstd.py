"""`zstd`: Zstandard with the parameters the kernel passes."""

from __future__ import annotations

from typing import Any

import zstandard

from sim.compressors.base import Buffer, Call
from sim.compressors.dictionary import WithDictionary
from sim.compressors.library import LevelledCompressor
from sim.errors import CodecError, CompressorError

CHAINED, CHAINED_IN_KERNEL = 14, 17
"""log2 of the largest window for which a dictionary is searched by chains, not rows (ZSTD_resolveRowMatchFinderMode);
the kernel, without vector registers, does so for larger ones."""


class Zstd(WithDictionary, LevelledCompressor):
    """zstandard with the parameters for a source of one page, as `zstd_get_params(level, PAGE_SIZE)` gives them.

    Source: drivers/block/zram/backend_zstd.c of 6.12 to 7.2 (level 3 unless told otherwise by `level=` in
    algorithm_params, which may be negative; the kernel takes a level out of range for the next one in it). The frame
    has the content size and no checksum, as the kernel's. With libzstd 1.5.7, which the kernel has since 6.15, sizes at
    nine levels from -50 to 22 are equal to those that zram of 6.18.15 and 7.2.13 stored for the 1,040 pages of
    tests/golden/zram.

    `dict`: a dictionary, as zram takes it since 6.12: a file, or the digest of one given before. One that was trained
    (`zstd --train`) has its number in each frame: four bytes a page. Sizes are equal to the kernel's up to level 12;
    from 13 on, up to 15 % of the pages differ, by up to 58 bytes, in all by 0.06 % at most.
    """

    name = "zstd"
    parallel = "threads"
    faults = (zstandard.ZstdError,)
    levels = range(-(1 << 17), zstandard.MAX_COMPRESSION_LEVEL + 1)  # 0 is the default, negative ones are faster

    def __init__(self, level: int = 3, dict: str = "") -> None:
        super().__init__(level)
        self._calls: Any = {}
        self.take_dictionary(dict)
        if self.is_here:
            self.calls(4096)  # what is wrong with it is told before any work is done

    @property
    def version(self) -> str:
        """The version of libzstd."""
        return "libzstd " + ".".join(map(str, zstandard.ZSTD_VERSION))

    def calls(self, page_size: int) -> tuple[Call, Call]:
        """See `Compressor.calls`. The contexts are kept: making one takes as long as compressing a page."""
        if page_size not in self._calls:
            loaded = self._loaded(page_size)
            compressor = zstandard.ZstdCompressor(compression_params=self._parameters(page_size), dict_data=loaded)
            self._calls[page_size] = compressor.compress, zstandard.ZstdDecompressor(dict_data=loaded).decompress
        found: tuple[Call, Call] = self._calls[page_size]
        return found

    def _parameters(self, page_size: int, **others: int) -> Any:
        return zstandard.ZstdCompressionParameters.from_level(
            self.level,
            source_size=page_size,
            dict_size=len(self.dictionary),
            write_content_size=True,
            write_checksum=False,
            write_dict_id=bool(self.dict),
            **others,
        )

    def _loaded(self, page_size: int) -> Any:
        """The dictionary as `ZSTD_createCDict_advanced` makes it, None without one."""
        if not self.dict:
            return None
        loaded = zstandard.ZstdCompressionDict(self.dictionary)
        window = self._parameters(page_size).window_log
        if window <= CHAINED_IN_KERNEL:
            window = min(window, CHAINED)
        try:
            loaded.precompute_compress(compression_params=self._parameters(page_size, window_log=window))
        except zstandard.ZstdError as error:
            raise CompressorError(f"{self.spec}: is a damaged dictionary; train it again") from error
        return loaded

    def decompress(self, data: Buffer, size: int) -> bytes:
        """See `Compressor.decompress`."""
        try:  # a damaged header may claim any size, and the library would allocate it
            claimed = zstandard.frame_content_size(data)
        except self.faults as error:
            raise CodecError(f"{self.spec}: {error}") from error
        if claimed != size:
            raise CodecError(f"{self.spec}: a frame of {claimed} bytes instead of {size}")
        return super().decompress(data, size)
