"""`lzo`: as zram and zswap use it."""

from __future__ import annotations

from types import ModuleType
from typing import ClassVar

from sim.compressors.exact import ExactCompressor
from sim.compressors.kernels import lzo


class Lzo(ExactCompressor):
    """LZO1X-1, equal to the kernel's `lzo1x_1_compress`; compared with a live 6.18 kernel."""

    name = "lzo"
    kernels: ClassVar[ModuleType] = lzo
