"""Recordings of one made-up program in LRU memories of several sizes."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np

from workloads import FREE, IN, OUT, Events, Sizes, Trace

PAGE = 4096


def recorded(
    limit: int,
    /,
    seed: int = 0,
    *,
    pages: int = 300,
    uses: int = 5000,
    codecs: tuple[str, ...] = ("lz4",),
    **source: object,
) -> Trace:
    """What a program that uses few of its `pages` often swaps, in `limit` pages of memory; never written to."""
    memory: OrderedDict[int, None] = OrderedDict()
    out: set[int] = set()
    events = []
    for page in (pages * np.random.default_rng(seed).random(uses) ** 2).astype(int).tolist():
        if page in out:
            events += [(IN, page, -1), (FREE, page, -1)]
            out.discard(page)
        memory[page] = memory.pop(page, None)
        if len(memory) > limit:
            victim, _ = memory.popitem(last=False)
            out.add(victim)
            events.append((OUT, victim, victim))
    source = {"kind": "recording", "command": ["a"], "limit": limit * PAGE, "algorithm": "lz4", **source}
    sizes = {codec: Sizes.given([1000] * pages) for codec in codecs}
    return Trace.from_arrays(f"at-{limit}", Events.of(*zip(*events, strict=True)), None, sizes, source=source)
