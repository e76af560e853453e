"""Density: compressed pages per physical page, from the outcomes of a replay.

`density` = objects / pages they occupy, a refused page counting as one object in one page; same-filled pages are in
neither. `effective_density` = live slots of every kind / pages. Each at the trace's fullest moment, which is the same
for every allocator, in the time-weighted mean (slots and pages are averaged over time, then divided) and at the end.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.frontends.compiled import slots
from workloads.traces.events import COMPACT, IN, LOST, OUT, Events
from workloads.traces.moment import Moment

if TYPE_CHECKING:
    import pandas as pd

SAMPLES = 500  # of a timeline, besides the moments that are always in it
Row = dict[str, Any]
Columns = dict[str, Any]  # int64[n] by name of STATE
STATE = ("pages", "objects", "bytes", "same_filled", "refused")


def _ratio(count: float, pages: float) -> float:
    return count / pages if pages else math.nan


class DensityMeter:
    """Reads a replay batch by batch and keeps what the results need: some sums, one moment and a thinned timeline."""

    def __init__(self, n_events: int, page_size: int, moment: Moment, span_ns: tuple[int, int] | None = None) -> None:
        """`moment` is the trace's fullest; `span_ns` are its first and last time, where some events do not happen."""
        self.page_size = page_size
        self.every = max(1, n_events // SAMPLES)
        self.events = 0
        self.outs = np.zeros(len(slots.WHAT), np.int64)
        self.missing = 0
        self.lost = 0
        self.peak: dict[str, int] = dict.fromkeys(STATE, 0)
        self.end: dict[str, int] = dict.fromkeys(STATE, 0)
        self.moment = moment
        self.pages_max = 0
        self._weighted = np.zeros(len(STATE))  # sums of state x duration
        self._lasted = 0  # the sum of durations
        self._last_time: int | None = span_ns[0] if span_ns else None
        self._first_time = span_ns[0] if span_ns else 0
        self._end_time: int | None = span_ns[1] if span_ns else None
        self._timeline: dict[int, Row] = {}  # by event
        self._most: Row = {}  # of most RAM
        self._last: Row = {}

    def add(self, events: Events, outcome: Any, of: Any = None, **more: Any) -> None:
        """Take one batch of events and their outcomes (`sim.replay.loop.OUTCOME`).

        `of` int64[n] are the numbers that they have in the trace, where some of its events did not happen; `more`
        columns int64[n] stand in the timeline too.
        """
        of = self.events + np.arange(len(events)) if of is None else of
        columns = {name: outcome[name].astype(np.int64) for name in STATE}
        self.outs += np.bincount(outcome["what"][events.kind == OUT], minlength=len(slots.WHAT))
        self.missing += int((outcome["what"][events.kind == IN] == slots.EMPTY).sum())
        self.lost += int((events.kind == LOST).sum())
        self._weigh(events, columns)
        until = int(np.searchsorted(of, self.moment.event, side="right")) - 1
        if until >= 0 and self.moment.slots:
            self.peak = {name: int(column[until]) for name, column in columns.items()}
        self._sample(events, columns | more, of, until)
        self.events += len(events)
        self.end = {name: int(column[-1]) for name, column in columns.items()}

    def _sample(self, events: Events, columns: Columns, of: Any, until: int) -> None:
        """Keep every n-th event, the fullest moment, and what is around compactions that released pages.

        The fullest moment is in row `until`, or in a later batch if that is the last one, or was in an earlier one.
        """

        def row(i: int) -> Row:
            time_s = math.nan if events.time_ns is None else (int(events.time_ns[i]) - self._first_time) / 1e9
            state = {name: int(column[i]) for name, column in columns.items()}
            return {"event": int(of[i]), "time_s": time_s, **state}

        pages, n = columns["pages"], len(events)
        passed = self._last["event"] if self._last else -1
        keep = np.diff(of // self.every, prepend=passed // self.every) != 0
        if until >= 0 and (until < n - 1 or of[until] == self.moment.event):
            keep[until] = True
        fewer = (events.kind == COMPACT) & (np.diff(pages, prepend=self.end["pages"]) < 0)
        keep |= fewer
        keep[:-1] |= fewer[1:]
        if fewer[0] and self._last:
            self._timeline[self._last["event"]] = self._last
        for i in np.flatnonzero(keep).tolist():
            self._timeline[int(of[i])] = row(i)
        if pages[top := int(pages.argmax())] > self.pages_max:
            self.pages_max, self._most = int(pages[top]), row(top)
        self._last = row(n - 1)

    def _weigh(self, events: Events, columns: Columns) -> None:
        """Weigh each state by the time it lasts: until the next event, or one event each without times."""
        if events.time_ns is None:
            self._weighted += [column.sum() for column in columns.values()]
            self._lasted += len(events)
            return
        if self._last_time is None:
            self._first_time = self._last_time = int(events.time_ns[0])
        gaps = np.diff(events.time_ns, prepend=self._last_time)
        self._lasted += int(events.time_ns[-1]) - self._last_time
        self._last_time = int(events.time_ns[-1])
        for k, (name, column) in enumerate(columns.items()):
            before = np.concatenate(([self.end[name]], column[:-1]))
            self._weighted[k] += float(before @ gaps)

    def row(self) -> dict[str, float | int]:
        """The figures of one run, by the names of the `density` frame; two maxima may be of different moments."""
        self._reach_the_end()
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
        row["pages_max"] = self.pages_max
        row["pages_mean"] = mean["pages"] / self._lasted if self._lasted else math.nan
        row["slots_max"] = self.moment.slots
        row["pages_end"] = self.end["pages"]
        for what in (slots.OBJECT, slots.SAME, slots.HUGE, slots.REFUSED):
            row[{slots.OBJECT: "stored"}.get(what, slots.WHAT[what])] = int(self.outs[what])
        row["missing"] = self.missing
        row["lost"] = self.lost
        row["page_size"] = self.page_size
        return row

    def _reach_the_end(self) -> None:
        """The last state lasts until the trace ends, where that is known to be later."""
        if self._end_time is not None and self._last_time is not None and self._end_time > self._last_time:
            gap = self._end_time - self._last_time
            self._weighted += [self.end[name] * gap for name in STATE]
            self._lasted += gap
            self._last_time = self._end_time

    def timeline(self) -> list[Row]:
        """Rows of the `timeline` frame: event, time_s, and the state after it.

        About `SAMPLES` evenly spaced, and the last event, the trace's fullest moment, the first with most RAM, and
        those before and after each compaction that released pages.
        """
        rows = self._timeline | {row["event"]: row for row in (self._most, self._last) if row}
        return [rows[event] for event in sorted(rows)]


# Pages of a pool below which its density says little: in samples of the shipped recordings with pools of 500 to 1,900
# pages zsmalloc had 0.43 to 0.85 of the density that it has in the whole ones, zbud 0.99 to 1.03.
SMALL = 2_000


def mark_small(frame: pd.DataFrame) -> pd.DataFrame:
    """The same with the column `small`; see `small_pools`."""
    return frame if frame.empty else frame.assign(small=small_pools(frame))


def small_pools(frame: pd.DataFrame) -> pd.Series[bool]:
    """Whether the largest pool that holds the same pages has fewer than `SMALL`, for each row of a `density` frame."""
    from sim.timing.latency import run_columns

    if "small" in frame:
        return frame["small"].astype(bool)
    key = [name for name in run_columns(frame.columns) if name != "allocator"]
    pages = frame["pages_peak"]
    return pages.groupby([frame[name] for name in key], dropna=False).transform("max") < SMALL
