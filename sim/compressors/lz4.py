"""`lz4`: as zram and zswap use it."""

from __future__ import annotations

from types import ModuleType
from typing import ClassVar

from sim.compressors.exact import ExactCompressor
from sim.compressors.kernels import lz4


class Lz4(ExactCompressor):
    """LZ4, equal to the kernel's `LZ4_compress_default`; compared with a live 6.18 kernel."""

    name = "lz4"
    kernels: ClassVar[ModuleType] = lz4
