"""Density: compressed pages per physical page, from the outcomes of a replay.

`density` = objects / pages they occupy, a refused page counting as one object in one page; same-filled pages are in
neither. `effective_density` = live slots of every kind / pages. Each at the peak (the first moment with most pages), in
the time-weighted mean (slots and pages are averaged over time, then divided) and at the end of the trace.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sim.frontends.compiled import slots
from workloads.traces.events import IN, LOST, OUT, Events

SAMPLES = 500  # of a timeline
STATE = ("pages", "objects", "bytes", "same_filled", "refused")


def _ratio(count: float, pages: float) -> float:
    return count / pages if pages else math.nan


class DensityMeter:
    """Reads a replay batch by batch and keeps what the results need: some sums, the peak and a thinned timeline."""

    def __init__(self, n_events: int, page_size: int) -> None:
        self.page_size = page_size
        self.every = max(1, n_events // SAMPLES)
        self.events = 0
        self.outs = np.zeros(len(slots.WHAT), np.int64)
        self.missing = 0
        self.lost = 0
        self.peak: dict[str, int] = dict.fromkeys(STATE, 0)
        self.end: dict[str, int] = dict.fromkeys(STATE, 0)
        self.most_pages = 0
        self._weighted = np.zeros(len(STATE))  # sums of state x duration
        self._last_time: int | None = None
        self._first_time = 0
        self._timeline: list[dict[str, Any]] = []

    def add(self, events: Events, outcome: Any) -> None:
        """Take one batch of events and their outcomes (`sim.replay.loop.OUTCOME`)."""
        columns = {name: outcome[name].astype(np.int64) for name in STATE}
        self.outs += np.bincount(outcome["what"][events.kind == OUT], minlength=len(slots.WHAT))
        self.missing += int((outcome["what"][events.kind == IN] == slots.EMPTY).sum())
        self.lost += int((events.kind == LOST).sum())
        self._weigh(events, columns)
        held = columns["pages"] + columns["refused"]
        top = int(held.argmax())
        if held[top] > self.most_pages:
            self.most_pages = int(held[top])
            self.peak = {name: int(column[top]) for name, column in columns.items()}
        keep = np.flatnonzero((self.events + np.arange(len(events))) % self.every == 0)
        for i in keep:
            row = {"event": self.events + int(i), "time_s": self._seconds(events, int(i))}
            self._timeline.append(row | {name: int(column[i]) for name, column in columns.items()})
        self.events += len(events)
        self.end = {name: int(column[-1]) for name, column in columns.items()}

    def _seconds(self, events: Events, i: int) -> float:
        return math.nan if events.time_ns is None else (int(events.time_ns[i]) - self._first_time) / 1e9

    def _weigh(self, events: Events, columns: dict[str, Any]) -> None:
        """Weigh each state by the time it lasts: until the next event, or one event each without times."""
        if events.time_ns is None:
            self._weighted += [column.sum() for column in columns.values()]
            return
        if self._last_time is None:
            self._first_time = self._last_time = int(events.time_ns[0])
        gaps = np.diff(events.time_ns, prepend=self._last_time)
        self._last_time = int(events.time_ns[-1])
        for k, (name, column) in enumerate(columns.items()):
            before = np.concatenate(([self.end[name]], column[:-1]))
            self._weighted[k] += float(before @ gaps)

    def row(self) -> dict[str, float | int]:
        """The figures of one run, by the names of the `density` frame."""
        mean = dict(zip(STATE, self._weighted, strict=True))
        row: dict[str, float | int] = {}
        for suffix, state in (("", self.peak), ("_mean", mean), ("_end", self.end)):
            row["density" + suffix] = _ratio(state["objects"] + state["refused"], state["pages"] + state["refused"])
        for suffix, state in (("", self.peak), ("_mean", mean), ("_end", self.end)):
            live = state["objects"] + state["refused"] + state["same_filled"]
            row["effective_density" + suffix] = _ratio(live, state["pages"] + state["refused"])
        ideal = math.ceil(self.peak["bytes"] / self.page_size) + self.peak["refused"]
        row["ideal_density"] = _ratio(self.peak["objects"] + self.peak["refused"], ideal)
        for name in STATE:
            row[name + "_peak"] = self.peak[name]
        row["pages_end"] = self.end["pages"]
        for what in (slots.OBJECT, slots.SAME, slots.HUGE, slots.REFUSED):
            row[{slots.OBJECT: "stored"}.get(what, slots.WHAT[what])] = int(self.outs[what])
        row["missing"] = self.missing
        row["lost"] = self.lost
        row["page_size"] = self.page_size
        return row

    def timeline(self) -> list[dict[str, Any]]:
        """Rows of the `timeline` frame: event, time_s, and the state after it."""
        return self._timeline
