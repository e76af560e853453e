"""`zram`, the compressed block device: 6.18 with its post-processing, and 2012."""

from sim.frontends.zram.frontend import Zram

__all__ = ["Zram"]
