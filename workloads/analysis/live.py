"""The live-set curve: how many slots hold a page, over the trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workloads.analysis.walk import Ints, Step
from workloads.traces.events import FREE, IN, LOST, OUT

if TYPE_CHECKING:
    import pandas as pd

SAMPLES = 500
COLUMNS = ("event", "time_s", "slots", "page_outs", "page_ins")


def changes(step: Step) -> Ints:
    """How many more slots hold a page after each event than before it."""
    kind = step.events.kind
    empties = ((kind == FREE) | (kind == LOST)) & step.held
    change: Ints = ((kind == OUT) & ~step.held).astype(np.int64) - empties
    return change


class Live:
    """About 500 samples of the curve, its fullest moment (the first), mean and end.

    The mean is weighted by time, each count lasting until the next event; by events where there are no times or no time
    passes.
    """

    def __init__(self, n_events: int, span_ns: tuple[int, int] | None) -> None:
        self.end = 0
        self.peak = 0
        self.peak_event: int | None = None
        self._every = max(1, n_events // SAMPLES)
        self._start = span_ns[0] if span_ns else None
        self._timed = span_ns is not None and span_ns[1] > span_ns[0]
        self._last = self._start or 0
        self._weighted, self._lasted = 0.0, 0
        self._counts = np.zeros(2, np.int64)  # page-outs and page-ins
        self._rows: dict[int, tuple[float, ...]] = {}

    def add(self, step: Step) -> None:
        """Take a batch."""
        kind, time = step.events.kind, step.events.time_ns
        if not len(kind):
            return
        before = self.end
        slots = before + changes(step).cumsum()
        done = self._counts[:, None] + np.stack(((kind == OUT) | (kind == LOST), kind == IN)).cumsum(axis=1)
        if self._timed and time is not None:
            lasting = np.diff(time, prepend=self._last).astype(np.float64)
            self._weighted += float(np.concatenate(([before], slots[:-1])) @ lasting)
            self._lasted += int(time[-1]) - self._last
            self._last = int(time[-1])
        else:
            self._weighted += float(slots.sum())
            self._lasted += len(slots)
        top = int(slots.argmax())
        rows = np.arange((-step.first - 1) % self._every, len(kind), self._every)
        new = int(slots[top]) > self.peak
        if new and self.peak_event is not None and not self._regular(self.peak_event):
            del self._rows[self.peak_event]
        if new:
            self.peak, self.peak_event = int(slots[top]), step.first + top
        for row in sorted({*rows.tolist(), *([top] if new else [])}):
            self._rows[step.first + row] = self._row(row, time, slots, done)
        self.end, self._counts = int(slots[-1]), done[:, -1]
        self._final = (step.first + len(kind) - 1, self._row(len(kind) - 1, time, slots, done))

    def _regular(self, event: int) -> bool:
        return (event + 1) % self._every == 0

    def _row(self, row: int, time: Ints | None, slots: Ints, done: npt.NDArray[np.int64]) -> tuple[float, ...]:
        clock = () if time is None else ((int(time[row]) - (self._start or 0)) / 1e9,)
        return (*clock, int(slots[row]), *done[:, row].tolist())

    @property
    def mean(self) -> float | None:
        """Slots that hold a page, on average; None without events."""
        return self._weighted / self._lasted if self._lasted else None

    @property
    def peak_s(self) -> float | None:
        """Seconds from the first event to the fullest moment."""
        return self._rows[self.peak_event][0] if self.peak_event is not None and self._start is not None else None

    def frame(self) -> pd.DataFrame:
        """A row a sample, see `Survey.df_live`."""
        import pandas as pd

        rows = dict(sorted((self._rows | dict([self._final] if self._lasted else [])).items()))
        columns = [name for name in COLUMNS if name != "time_s" or self._start is not None]
        return pd.DataFrame([(event, *row) for event, row in rows.items()], columns=columns)
