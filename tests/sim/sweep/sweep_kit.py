"""What the tests of sweeps share: small experiments, and what is compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pandas.testing import assert_frame_equal

from sim import Experiment, Machine, Memory, Result
from sim.results.saving import FRAMES, ON_DEMAND

RANDOM = "random:events=400,slots=100,pages=60"
PLAIN = Experiment((RANDOM,), allocators=("zbud", "zsmalloc"), compressors=("lz4",), memory=Memory(pages=(40, 60)))
MANY = Experiment(
    (RANDOM, "uniform:events=300", "random:events=300,slots=50,pages=40"),
    allocators=("zbud", "zsmalloc:chain=4..5"),
    compressors=("lz4", "lzo"),
    frontends=("zram", "raw", "zswap:ram_pages=200"),
)
OTHER_SIZES = Experiment(
    (RANDOM,),
    allocators=("zsmalloc:chain=4..5",),
    compressors=("lz4", "lzo"),
    frontends=("zram", "device"),
    machine=Machine(ram=("300K", "350K"), limit="320K", recorded="256K"),
)


def assert_same(one: Result, other: Result, without: tuple[str, ...] = ()) -> None:
    """All frames are equal to the last bit."""
    for name in {*FRAMES, *ON_DEMAND} - {*without}:
        assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True, obj=name)


def stamps(folder: Path) -> dict[str, Any]:
    """The cells of a sweep's folder, and when each was written."""
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in (folder / "cells").glob("[!.]*")}
