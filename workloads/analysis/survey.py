"""All that the events of a trace tell, found in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workloads.analysis.histogram import Histogram
from workloads.analysis.live import Live
from workloads.analysis.tasks import Tasks
from workloads.analysis.walk import Step, Walk
from workloads.limits import check_slots
from workloads.progress import Progress, silent
from workloads.traces.events import FREE, IN, LOST, OUT
from workloads.traces.trace import Trace

if TYPE_CHECKING:
    import pandas as pd

FREED, OVERWRITTEN, HELD = ENDS = ("freed", "overwritten", "held")


class Survey:
    """What the events of a trace tell: `df_...` are frames, a row a sample, a bucket or a task.

    Reads the events once, holds a batch of them, some 30 bytes a slot and 8 a unique page. `progress` is called with
    events done and in all. Raises TraceError for slots that no device has.
    """

    def __init__(self, trace: Trace, progress: Progress = silent) -> None:
        check_slots(trace.path or trace.name, trace.n_slots)
        self.trace = trace
        self.live = Live(trace.n_events, trace.header.span_ns)
        self.tasks = Tasks()
        self.lifetimes = {end: (Histogram(), Histogram()) for end in ENDS}  # events, ns
        self.reuse = Histogram(), Histogram()  # page-outs, ns
        self.read_back = 0
        self.page_outs: npt.NDArray[np.int64] = np.zeros(trace.unique_pages, np.int64)
        walk = Walk(trace.n_slots)
        for events in trace.batches():
            self._add(walk.step(events))
            progress(walk.events, trace.n_events)
        for histogram, ages in zip(self.lifetimes[HELD], walk.ages(), strict=True):
            histogram.add(ages)
        self.slots = walk.slots

    def _add(self, step: Step) -> None:
        kind, time = step.events.kind, step.events.time_ns
        self.live.add(step)
        self.tasks.add(step)
        self.page_outs += np.bincount(step.events.page[kind == OUT], minlength=len(self.page_outs))
        number = step.first + np.arange(len(kind))
        for end, ends in ((FREED, kind == FREE), (OVERWRITTEN, (kind == OUT) | (kind == LOST))):
            which = ends & step.held
            events, ns = self.lifetimes[end]
            events.add((number - step.event)[which])
            ns.add(np.zeros(0, np.int64) if time is None else (time - step.time_ns)[which])
        read = (kind == IN) & step.held
        self.reuse[0].add((step.rank - step.outs - 1)[read])
        self.reuse[1].add(np.zeros(0, np.int64) if time is None else (time - step.time_ns)[read])
        self.read_back += int(np.count_nonzero(step.first_read))

    def df_live(self) -> pd.DataFrame:
        """The live-set curve, a row a sample: about 500, the fullest moment and the last event.

        Columns: `event`, its number from 0; `time_s`, seconds since the first event, if the trace has times; after that
        event `slots`, those that hold a page, and so far `page_outs` (lost ones too) and `page_ins`.
        """
        return self.live.frame()

    def df_lifetimes(self, unit: str = "events") -> pd.DataFrame:
        """How long slots keep the contents of a page-out, a row an end and a bucket.

        Columns: `end`: `freed`, `overwritten` (by a page-out), or `held` at the end of the trace, by their age there;
        `least` and `most`, the bounds of the bucket, in `unit`s: `events` after the page-out, or `ns` (no rows without
        times); `count`, page-outs. Lost page-outs have no contents and only end others'.
        """
        import pandas as pd

        at = ("events", "ns").index(unit)
        there = self.trace.has_time or unit == "events"
        frames = [both[at].frame().assign(end=end) for end, both in self.lifetimes.items()] if there else []
        columns = ["end", "least", "most", "count"]
        return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)

    def df_reuse(self, unit: str = "page_outs") -> pd.DataFrame:
        """How soon pages are read back, a row a bucket; page-ins of slots that hold nothing are left out.

        Columns: `least` and `most`, the bounds of the bucket, in `unit`s: the other `page_outs` (lost ones too) between
        the page-out that wrote the contents and the page-in, or `ns` (no rows without times); `count`, page-ins.
        """
        there = self.trace.has_time or unit == "page_outs"
        return self.reuse[("page_outs", "ns").index(unit)].frame().iloc[: None if there else 0]

    def df_tasks(self) -> pd.DataFrame:
        """What each task did, a row a task, most page-outs first; no row where the trace has no tasks.

        Columns: `task`; `events`, `page_outs` (lost ones too), `page_ins` and `frees` of the task; `live_peak` and
        `live_end`, the most slots that held pages it had paged out, whoever freed them, and those at the end.
        """
        return self.tasks.frame()
