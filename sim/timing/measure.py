"""Times of operations and of their parts, measured batch by batch: counts, sums and histograms.

A histogram's buckets are 2**-10 of their value wide, so a percentile is exact to 0.05 %; counts, means and maxima are
exact. Memory does not grow with the number of operations.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.timing.latency import OPERATIONS, PARTS, QUANTILES, TOTAL
from sim.timing.work import PAGE_IN, PAGE_OUT, Column, Work

BITS = 10  # of a float's mantissa that tell buckets apart
SHIFT = 52 - BITS
LEAST = int(np.float64(2.0**-4).view(np.int64)) >> SHIFT  # bucket of the shortest time told apart, 1/16 ns


class Histogram:
    """Of times in ns, 0 or more."""

    def __init__(self) -> None:
        self.zeros = self.count = 0
        self.sum = self.most = 0.0
        self.buckets = np.zeros(0, np.int64)

    def add(self, times: Column) -> None:
        """Take in n times; float64[n]."""
        self.count += len(times)
        above = times[times > 0]
        self.zeros += len(times) - len(above)
        if not len(above):
            return
        self.sum += float(above.sum())
        self.most = max(self.most, float(above.max()))
        found = np.bincount(np.maximum((above.view(np.int64) >> SHIFT) - LEAST, 0), minlength=len(self.buckets))
        found[: len(self.buckets)] += self.buckets
        self.buckets = found

    def quantile(self, q: float) -> float:
        """The smallest time that a share `q` of all does not exceed."""
        rank = max(1, int(np.ceil(q * self.count))) - self.zeros
        if rank <= 0:
            return 0.0
        bucket = int(np.searchsorted(np.cumsum(self.buckets), rank)) + LEAST
        edges = (np.array([bucket, bucket + 1], np.int64) << SHIFT).view(np.float64)
        return min(float(edges.mean()), self.most)

    def figures(self) -> dict[str, float | int]:
        """The figures of the `latency` frame."""
        mean = self.sum / self.count
        quantiles = {name: self.quantile(q) / 1e3 for name, q in QUANTILES.items()}
        return {"count": self.count, "mean_us": mean / 1e3, **quantiles, "max_us": self.most / 1e3}


class Meter:
    """Measures batches of operations as they end."""

    def __init__(self, keep_events: bool = False) -> None:
        self.histograms: dict[tuple[int, str], Histogram] = defaultdict(Histogram)
        self.kept: dict[int, dict[str, npt.NDArray[Any]]] | None = {} if keep_events else None
        self.operations = 0
        self.done = 0  # events of the trace in the batches
        self.lost = 0.0  # time that programs waited for page-ins and for page-outs of their own, ns
        self.slept = 0.0  # time that operations waited for the device, ns

    def add(self, work: Work, parts: dict[str, Column]) -> None:
        """Take in a batch whose operations have all ended, and their parts (`Work.parts`)."""
        operation = np.array(work.operation)
        self.done += work.events
        self.slept += float(np.sum(work.device))
        waited = (operation == PAGE_IN) | (operation == PAGE_OUT)
        waited[work.background] = False
        self.lost += float(parts[TOTAL][waited].sum())
        for code in range(len(OPERATIONS)):
            rows = np.flatnonzero(operation == code)
            if len(rows):
                self.operations += len(rows)
                for part, times in parts.items():
                    self.histograms[code, part].add(times[rows])
        if self.kept is not None:
            self.kept[work.start] = self._events(work, operation, parts)

    @staticmethod
    def _events(work: Work, operation: Any, parts: dict[str, Column]) -> dict[str, npt.NDArray[Any]]:
        event = np.arange(work.start, work.start + len(work))
        for i, spawned in work.spawns.items():
            event[spawned.start : spawned.stop] = work.start + i
        times = {f"{part}_us": column / 1e3 for part, column in parts.items()}
        columns = {"event": event, "operation": operation, "arrived_us": np.array(work.arrived) / 1e3, **times}
        return {name: np.delete(column, work.cancelled) for name, column in columns.items()}

    def rows(self) -> list[dict[str, Any]]:
        """Rows of the `latency` frame without the columns of the run."""
        return [
            {"operation": OPERATIONS[code], "part": part, **self.histograms[code, part].figures()}
            for code in range(len(OPERATIONS))
            for part in (TOTAL, *PARTS)
            if (code, part) in self.histograms
        ]

    def events(self) -> dict[str, npt.NDArray[Any]]:
        """Columns of the `events` frame: event, operation, arrived_us, and each part and the total in us."""
        batches = [self.kept[start] for start in sorted(self.kept or {})] if self.kept else []
        names = batches[0] if batches else ()
        columns = {name: np.concatenate([batch[name] for batch in batches]) for name in names}
        if columns:
            columns["operation"] = np.array([*OPERATIONS, "lost"])[columns["operation"]]
        return columns
