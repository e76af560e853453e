"""Stands for the programs in the kernel: events that have come, and a pool whose pages hold their places."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from workloads.recorder.bpf.ring import EVENT, PAGE

Row = tuple[int, int, int, int, int, int]  # time_ns, slot, pages, kind, task, taken


def events_of(rows: list[Row]) -> np.ndarray[Any, Any]:
    return np.array([(32, 0, *row, 0) for row in rows], EVENT)


class Stand:
    def __init__(self, *batches: tuple[list[Row], bool]) -> None:
        self.control = SimpleNamespace(returned=0, dropped=0, armed=0)
        self.batches = [(events_of(rows), complete) for rows, complete in batches]
        self.sweeps = 0
        self.closed = False
        self.names_frees = True
        self.ring = SimpleNamespace(take=lambda: self.batches.pop(0) if self.batches else (events_of([]), True))
        self.pool = SimpleNamespace(copies=lambda taken: np.repeat(taken.astype(np.uint8)[:, None], PAGE, 1))

    def sweep(self) -> None:
        self.sweeps += 1

    def close(self) -> None:
        self.closed = True
