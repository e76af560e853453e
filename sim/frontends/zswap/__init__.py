"""`zswap`, the pool in front of a swap device, from the zswap whose pool reclaims (5.4, 6.1) to that of 6.18."""

from sim.frontends.zswap.frontend import Zswap

__all__ = ["Zswap"]
