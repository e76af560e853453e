"""`lz4-lib`: LZ4 as the lz4 package compresses."""

from __future__ import annotations

from functools import partial

import lz4
import lz4.block

from sim.compressors.base import Call
from sim.compressors.library import LibraryCompressor


class Lz4Lib(LibraryCompressor):
    """`lz4.block.compress` without the size in front.

    The package's parse is not the kernel's: sizes differ on most pages (in total by about half a per cent). For
    sizes equal to the kernel's take `lz4`. Processes, because the GIL changes hands at each call.
    """

    name = "lz4-lib"
    faults = (lz4.block.LZ4BlockError,)

    @property
    def version(self) -> str:
        """The version of liblz4."""
        return f"liblz4 {lz4.library_version_string()}"

    def calls(self, page_size: int) -> tuple[Call, Call]:
        """See `Compressor.calls`."""
        return (
            partial(lz4.block.compress, store_size=False),
            partial(lz4.block.decompress, uncompressed_size=page_size),
        )
