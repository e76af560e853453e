"""Small engines and made-up operations for the tests of the timing stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from sim.timing.arrivals import Reclaim, Recorded, Saturate
from sim.timing.check import Check
from sim.timing.devices import Device, Service
from sim.timing.engine import Engine
from sim.timing.latency import TOTAL
from sim.timing.tasks import Tasks
from sim.timing.work import FREE, Work

INSTANT = Device("instant", 64, Service("constant", (0.001,)), Service("constant", (0.001,)), 0.0, "made up")


class Run:
    """A run of made-up operations that has ended and was checked; columns over all of them, in the order of events."""

    def __init__(self, works: list[Work], kind: str = "recorded", backlog: int = 0, load: float = 1.0, **engine: Any):
        settings = {"cpus": 1, "device": INSTANT} | engine
        self.check, self.ended = Check(), []

        def flush(work: Work) -> None:
            parts = work.parts()
            self.check.add(work, parts[TOTAL])
            self.ended.append((work.start, work, parts))
            self.arrivals.flushed()

        self.engine = Engine(**settings, flush=flush)
        self.reclaim = Reclaim(self.engine, backlog)
        make: dict[str, Callable[[Iterator[Work]], Any]] = {
            "recorded": lambda w: Recorded(self.engine, w, self.reclaim, load),
            "closed": lambda w: Tasks(self.engine, w, self.reclaim, load),
            "saturate": lambda w: Saturate(self.engine, w),
        }
        self.arrivals = make[kind](iter(works))
        self.arrivals.start()
        self.engine.run()
        self.check.check(self.engine)
        self.ended.sort(key=lambda item: item[0])

    def __getitem__(self, part: str) -> Any:
        """A part of all operations, ns."""
        return np.concatenate([parts[part] for _, _, parts in self.ended])

    def column(self, name: str) -> Any:
        """A column of all operations."""
        return np.concatenate([np.array(getattr(work, name)) for _, work, _ in self.ended])


def works(first: Any, batch: int = 4096, operation: int = FREE, **given: Any) -> list[Work]:
    """Operations of one kind in batches; `given` are lists or arrays as long as `first`."""
    made = []
    for start in range(0, len(first), batch):
        part = slice(start, start + batch)
        columns = {name: list(np.asarray(values)[part].tolist()) for name, values in given.items()}
        made.append(Work.of([operation] * len(first[part]), first[part], start=start, **columns))
    return made
