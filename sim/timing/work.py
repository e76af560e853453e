"""Operations as the engine sees them: a batch of them, column by column.

The costs of an operation are known before it begins; what it waits for is not. So the costs are computed for a whole
batch at once, and the engine adds the waits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.timing.latency import OPERATIONS, PARTS, TOTAL

Column = npt.NDArray[np.float64]

PAGE_OUT, PAGE_IN, FREE, COMPACT, WRITEBACK, FAILED = range(len(OPERATIONS))
UNTIMED = -1  # a page-out whose contents were lost: nothing is known of it
NO_LOCK = -1


@dataclass(eq=False, slots=True)
class Work:
    """n operations; a list has an entry for each, times in ns.

    An operation runs on a CPU for `first`; then, if it has a `lock`, holds that for `hold`; if it takes new pages, does
    so for `grow`, which ends with the lock held for `hold` again; then runs for `then`. An operation with a `free_lock`
    ends with that lock held for `free_hold`. `compress` is the part of its work for which a page-out needs a
    compression stream; it comes after `first`, and where streams never lack, it is counted there and is 0 here.
    `reads` and `writes` are pages that it reads from or writes to the swap device when all else is done; `ahead_reads`
    are pages read that it does not wait for.

    `moves`, by operation: what a compaction does, (lock, hold) one after the other. `spawns`, by operation: further
    operations of this batch that begin when it ends, done by a kernel thread.

    `costs` are all parts (`latency.PARTS`) that are known beforehand. The engine writes `arrived`, `ended`, `queue`,
    `stream`, `locked` and `device`: the waits, and the device's service.
    """

    operation: list[int]
    first: list[float]
    compress: list[float]
    lock: list[int]
    hold: list[float]
    grow: list[float]
    then: list[float]
    free_lock: list[int]
    free_hold: list[float]
    reads: list[int]
    writes: list[int]
    ahead_reads: list[int]
    simple: list[bool]  # whether it only has first, lock, hold, then
    costs: dict[str, Column]
    events: int  # the first of the operations, which are the trace's events; the others are spawned
    start: int = 0  # number of the first event in the trace
    time: list[float] | None = None  # of the events
    task: list[int] | None = None
    moves: dict[int, list[tuple[int, float]]] = field(default_factory=dict)
    spawns: dict[int, range] = field(default_factory=dict)
    # Written by the engine:
    arrived: list[float] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)
    queue: list[float] = field(default_factory=list)
    stream: list[float] = field(default_factory=list)
    locked: list[float] = field(default_factory=list)
    device: list[float] = field(default_factory=list)
    left: int = 0  # operations that have not ended
    cancelled: list[int] = field(default_factory=list)  # operations that never came
    background: list[int] = field(default_factory=list)  # operations that kswapd does

    def __post_init__(self) -> None:
        n = len(self.operation)
        for name in ("arrived", "ended", "queue", "stream", "locked", "device"):
            setattr(self, name, [0.0] * n)
        self.left = n

    def __len__(self) -> int:
        return len(self.operation)

    @classmethod
    def of(cls, operation: list[int], first: Any, **given: Any) -> Work:
        """Operations that run for `first` and have nothing else but what is given; for experiments with the engine."""
        n = len(operation)
        plain: dict[str, Any] = {name: [0.0] * n for name in ("compress", "hold", "grow", "then", "free_hold")}
        plain |= {name: [0] * n for name in ("reads", "writes", "ahead_reads")}
        plain |= {"lock": [NO_LOCK] * n, "free_lock": [NO_LOCK] * n, "simple": [False] * n, "events": n}
        plain |= {"costs": {part: np.zeros(n) for part in PARTS}}
        work = cls(operation, list(map(float, first)), **plain | given)
        hold, grow = np.array(work.hold), np.array(work.grow)
        held = np.where(np.array(work.lock) >= 0, np.where(grow > 0, 2 * hold + grow, hold), 0.0)
        held += np.where(np.array(work.free_lock) >= 0, work.free_hold, 0.0)
        work.costs["path"] = np.array([work.first, work.then, work.compress]).sum(axis=0) + held
        return work

    def cancel(self, begin: int) -> None:
        """Take out the events from number `begin` of the batch on, and what they spawn: they never arrive."""
        gone = [*range(begin, self.events), *(j for i, more in self.spawns.items() if i >= begin for j in more)]
        for i in gone:
            self.operation[i] = UNTIMED
        for column in self.costs.values():
            column[gone] = 0.0
        self.left -= len(gone)
        self.cancelled = gone

    def parts(self) -> dict[str, Column]:
        """All parts of each operation, waits included, and their total; float64[n] each, ns."""
        waits = {"queue": self.queue, "stream": self.stream, "lock": self.locked}
        parts = {**self.costs, **{name: np.array(column) for name, column in waits.items()}}
        parts["device"] = self.costs["device"] + np.array(self.device)
        return {part: parts[part] for part in PARTS} | {TOTAL: np.sum([parts[part] for part in PARTS], axis=0)}
