"""`deflate`: raw deflate with the kernel's small window."""

from __future__ import annotations

import zlib
from functools import partial

from sim.compressors.base import Buffer, Call
from sim.compressors.library import LevelledCompressor

WINDOW_BITS = -11
"""Raw, 2 KiB window: DEFLATE_DEF_WINBITS of crypto/deflate.c and drivers/block/zram/backend_deflate.c."""
MEMORY_LEVEL = 8
"""DEFLATE_DEF_MEMLEVEL: the kernel's MAX_MEM_LEVEL."""


class Deflate(LevelledCompressor):
    """zlib's raw deflate with window 2^11 and memory level 8.

    The kernel's users pass Z_DEFAULT_COMPRESSION, which is 6. With it, sizes are equal to those that zram of 6.18.15
    and 7.2.13 stored for the 1,040 pages of tests/golden/zram; other levels were not compared. A page costs a fresh
    zlib object here, where the kernel resets the one it has, so times are pessimistic.
    """

    name = "deflate"
    parallel = "threads"
    faults = (zlib.error,)
    levels = range(1, 10)

    def __init__(self, level: int = 6) -> None:
        super().__init__(level)

    @property
    def version(self) -> str:
        """The version of zlib."""
        return f"zlib {zlib.ZLIB_RUNTIME_VERSION}"

    def calls(self, page_size: int) -> tuple[Call, Call]:
        """See `Compressor.calls`."""
        return self._compress, partial(zlib.decompress, wbits=WINDOW_BITS, bufsize=page_size)

    def _compress(self, page: Buffer) -> bytes:
        stream = zlib.compressobj(self.level, zlib.DEFLATED, WINDOW_BITS, MEMORY_LEVEL)
        return stream.compress(page) + stream.flush()
