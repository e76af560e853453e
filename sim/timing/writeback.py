"""Entries that zswap moves to the swap device: operations of a kernel thread, begun by the page-out that found it full.

The replay does not record which entries they were, so each takes the mean time of decompressing a page and, as their
size classes are unknown too, is freed under no lock.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.timing.work import NO_LOCK, WRITEBACK, Work


def with_writebacks(
    work: Work, count: Any, path: float, memory: float, decompress: float, free: float, submit: float
) -> Work:
    """The operations and, behind them, the pages that they write back, `count` int[n], at these costs in ns."""
    total = int(count.sum())
    if not total:
        return work
    begin = work.events
    for i in np.flatnonzero(count).tolist():
        work.spawns[i] = range(begin, begin + int(count[i]))
        begin += int(count[i])
    cost = {"path": path, "memory": memory, "decompress": decompress, "alloc": free, "device": submit}
    for part, column in work.costs.items():
        work.costs[part] = np.append(column, np.full(total, cost.get(part, 0.0)))
    work.operation += [WRITEBACK] * total
    work.first += [sum(cost.values())] * total
    work.writes += [1] * total
    work.simple += [False] * total
    for locks in (work.lock, work.free_lock):
        locks += [NO_LOCK] * total
    for zeros in (work.compress, work.hold, work.grow, work.then, work.free_hold):
        zeros += [0.0] * total
    for none in (work.reads, work.ahead_reads):
        none += [0] * total
    for waits in (work.arrived, work.ended, work.queue, work.stream, work.locked, work.device):
        waits += [0.0] * total
    work.left += total
    return work
