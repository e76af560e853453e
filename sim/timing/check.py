"""What must hold in every run: no operation lost, time forward only, parts that add up, and Little's law.

The engine integrates the number of operations in the system over time as they come and go; the sum of the sojourn
times comes from the parts of each operation, costs and waits. That both are equal is Little's law: the mean number in
the system is the rate of arrivals times the mean sojourn.
"""

from __future__ import annotations

import numpy as np

from sim.timing.engine import Engine
from sim.timing.work import Column, Work

CLOSE = 1e-9  # relative


class TimingFault(RuntimeError):
    """An inconsistency of the engine: a bug in cswap."""


class Check:
    """Counts along with a run and compares at its end."""

    def __init__(self) -> None:
        self.operations = 0
        self.sojourn = 0.0  # of all operations, ns

    def add(self, work: Work, total: Column) -> None:
        """Take in a batch whose operations have all ended; raises TimingFault if `total` is not what they took."""
        arrived, ended = np.array(work.arrived), np.array(work.ended)
        took = ended - arrived
        wrong = np.abs(took - total) > 1e-2 + CLOSE * ended
        if wrong.any() or (took < 0).any():
            i = int((wrong | (took < 0)).argmax())
            where = f"event {work.start + i} ({work.operation[i]})"
            raise TimingFault(f"{where}: took {took[i]} ns from {arrived[i]} on; its parts add up to {total[i]}")
        self.operations += len(work) - len(work.cancelled)
        self.sojourn += float(total.sum())

    def check(self, engine: Engine) -> None:
        """Raise TimingFault unless everything has ended and Little's law holds."""
        lost = engine.arrivals - engine.ends
        if lost or engine.inside or engine.ends != self.operations:
            raise TimingFault(f"{engine.arrivals} operations came, {engine.ends} ended, {self.operations} measured")
        if abs(engine.area - self.sojourn) > 1e-3 + CLOSE * max(engine.area, engine.clock.now):
            raise TimingFault(f"Little's law: {engine.area} ns in the system, {self.sojourn} by operation")
        for name, busy, most in (
            ("locks", max(lock.busy for lock in engine.locks), 1),
            ("device", engine.device.busy, engine.device.depth),
        ):
            if busy > most * engine.clock.now * (1 + CLOSE):
                raise TimingFault(f"{name} were busy for {busy} ns of {engine.clock.now}")
