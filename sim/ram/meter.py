"""What a closed replay gives: what still happened, and the RAM that it took."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.ram.closed import ClosedReplay
from workloads.traces.events import IN, OUT, Events

FIGURES = (
    "page_outs",
    "page_ins",
    "page_outs_avoided",
    "page_ins_avoided",
    "pool_pages_mean",
    "pool_pages_peak",
    "program_pages_mean",
    "kept_whole",
    "below",
    "over",
)


class RamMeter:
    """Reads a closed replay batch by batch."""

    def __init__(self, running: ClosedReplay) -> None:
        self.running = running
        self.outs = self.ins = self.peak = 0
        self._pages = 0  # held now
        self._weighted = 0.0  # sum of pages x duration
        trace = running.trace
        self._first, self._end = trace.header.span_ns or (0, trace.n_events)
        self._since = self._first  # recorded time, or number of the event, up to which they were summed

    def add(self, events: Events, outcome: Any) -> None:
        """Take one batch of what happened."""
        pages = outcome["pages"].astype(np.int64)
        self.outs += int((events.kind == OUT).sum())
        self.ins += int((events.kind == IN).sum())
        self.peak = max(self.peak, int(pages.max()))
        at = self.running.of if events.time_ns is None else events.time_ns
        held = np.concatenate(([self._pages], pages[:-1]))
        self._weighted += float(held @ np.diff(at, prepend=self._since))
        self._since, self._pages = int(at[-1]), int(pages[-1])

    def row(self) -> dict[str, float | int]:
        """`FIGURES`: page-outs and page-ins that happened and that did not; pages of the pool, over time and at most;
        pages left for the program, over time; page-outs kept whole in the pool; shares of events at which the program
        had less than in the recording, and at which more was held than fits."""
        book, events = self.running.ram.book[0], self.running.trace.n_events
        weighted = self._weighted + self._pages * max(0, self._end - self._since)
        mean = weighted / (self._end - self._first) if self._end > self._first else float(self._pages)
        outside = mean if book.shared else 0.0
        return {
            "page_outs": self.outs,
            "page_ins": self.ins,
            "page_outs_avoided": int(book.outs_avoided + book.buffered),
            "page_ins_avoided": int(book.ins_avoided),
            "pool_pages_mean": mean,
            "pool_pages_peak": self.peak,
            "program_pages_mean": float(book.capacity) - outside,
            "kept_whole": int(book.won_nothing),
            "below": int(book.below) / events,
            "over": int(book.over) / events,
        }
