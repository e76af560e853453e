"""Sound inputs, from which the doors make theirs."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from command import command

from sim.plugins import COMPRESSORS
from sim.sizing.sizing import size_pages
from workloads import COMPACT, FREE, IN, LOST, OUT, Events, Trace, save_trace, strip_trace

PAGE = 4096
RUN = ("-f", "raw", "-f", "zram", "-a", "ideal", "-a", "zsmalloc", "-c", "lz4", "--json")


def pages(count: int = 9) -> np.ndarray[Any, Any]:
    """Pages of all sorts: zeros, one word repeated, text, noise, half noise."""
    draw = np.random.default_rng(0)
    out = np.zeros((count, PAGE), np.uint8)
    out[1] = 7
    for row in range(2, count):
        noise = draw.integers(0, 256, PAGE, np.uint8)
        out[row] = np.where(np.arange(PAGE) < row * PAGE // (count - 1), noise, np.arange(PAGE) % (16 * row))
    return out


@cache
def sound(times: bool, content: bool) -> Path:
    """A sound trace with sizes for lz4, without contents if those are not wanted; made once."""
    place = Path(tempfile.mkdtemp(prefix="sound-"))
    draw = Random(1)
    kind = [draw.choice((OUT, OUT, OUT, IN, FREE, COMPACT, LOST)) for _ in range(80)]
    slot = [0 if k == COMPACT else draw.randrange(16) for k in kind]
    page = [draw.randrange(len(pages())) if k == OUT else -1 for k in kind]
    given = (range(100, 8100, 100), [draw.randrange(3) for _ in kind]) if times else ()
    made = ("sound", Events.of(kind, slot, page, *given), pages())
    sizes = size_pages(Trace.from_arrays(*made), COMPRESSORS.make("lz4"))
    trace = Trace.from_arrays(*made, {"lz4": sizes}, {"kind": "made", "limit": 65536})
    if content:
        save_trace(trace, place / "t.cswap")
    else:
        strip_trace(trace, place / "t.cswap", {"lz4": sizes})
    for timing in ((), ("--timing",)):
        command("run", place / "t.cswap", *RUN, *timing)  # so that all is compiled
    return place / "t.cswap"


@cache
def lz4_size(page: bytes) -> int:
    """What the kernel's lz4 makes of a page."""
    return len(COMPRESSORS.make("lz4").compress(page))
