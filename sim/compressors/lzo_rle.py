"""`lzo-rle`: as zram and zswap use it."""

from __future__ import annotations

from types import ModuleType
from typing import ClassVar

from sim.compressors.exact import ExactCompressor
from sim.compressors.kernels import lzo_rle


class LzoRle(ExactCompressor):
    """LZO1X-1 with runs of zeros, equal to the kernel's `lzorle1x_1_compress`; compared with a live 6.18 kernel."""

    name = "lzo-rle"
    kernels: ClassVar[ModuleType] = lzo_rle
