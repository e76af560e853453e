"""What a closed replay gives: what still happened, and the RAM that it took."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.ram.closed import ClosedReplay
from workloads.traces.events import IN, OUT, Events

BASELINE = "device"  # the frontend that compressed swap is compared with
FIGURES = (
    "page_outs",
    "page_ins",
    "page_outs_avoided",
    "page_ins_avoided",
    "pool_pages_mean",
    "pool_pages_peak",
    "program_pages_mean",
    "stored_pages_mean",
    "stored_pages_peak",
    "device_reads",
    "device_writes",
    "kept_whole",
    "below",
    "over",
)


class RamMeter:
    """Reads a closed replay batch by batch."""

    def __init__(self, running: ClosedReplay) -> None:
        self.running = running
        self.outs = self.ins = 0
        self.peak = np.zeros(2, np.int64)  # at most: pages of the pool, pages stored, as are:
        self._now = np.zeros(2, np.int64)
        self._weighted = np.zeros(2)  # sums over time
        trace = running.trace
        self._first, self._end = trace.header.span_ns or (0, trace.n_events)
        self._since = self._first  # recorded time, or number of the event, up to which they were summed

    def add(self, events: Events, outcome: Any) -> None:
        """Take one batch of what happened."""
        stored = sum(outcome[name].astype(np.int64) for name in ("objects", "same_filled", "refused"))
        pages = np.stack([outcome["pages"].astype(np.int64), stored])
        self.outs += int((events.kind == OUT).sum())
        self.ins += int((events.kind == IN).sum())
        self.peak = np.maximum(self.peak, pages.max(axis=1))
        at = self.running.of if events.time_ns is None else events.time_ns
        held = np.concatenate([self._now[:, None], pages[:, :-1]], axis=1)
        self._weighted += held @ np.diff(at, prepend=self._since)
        self._since, self._now = int(at[-1]), pages[:, -1]

    def row(self) -> dict[str, float | int]:
        """`FIGURES`: page-outs and page-ins that happened and that did not; pages of the pool, over time and at most;
        pages left for the program, over time; pages stored, refused ones too; device traffic; page-outs kept whole in
        the pool; shares of events at which the program had less than in the recording, and at which more was held than
        fits."""
        book, events = self.running.ram.book[0], self.running.trace.n_events
        weighted = self._weighted + self._now * max(0, self._end - self._since)
        mean, stored = (weighted / (self._end - self._first) if self._end > self._first else self._now).tolist()
        outside = mean if book.shared else 0.0
        counters = self.running.counters()
        return {
            "page_outs": self.outs,
            "page_ins": self.ins,
            "page_outs_avoided": int(book.outs_avoided + book.buffered),
            "page_ins_avoided": int(book.ins_avoided),
            "pool_pages_mean": float(mean),
            "pool_pages_peak": int(self.peak[0]),
            "program_pages_mean": float(book.capacity) - outside,
            "stored_pages_mean": float(stored),
            "stored_pages_peak": int(self.peak[1]),
            "device_reads": counters["device_reads"],
            "device_writes": counters["device_writes"],
            "kept_whole": int(book.won_nothing),
            "below": int(book.below) / events,
            "over": int(book.over) / events,
        }
