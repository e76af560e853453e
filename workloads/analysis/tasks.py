"""What each task did, and how many slots held pages that it had paged out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workloads.analysis.walk import Ints, Step
from workloads.traces.events import FREE, IN, LOST, OUT

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("events", "page_outs", "page_ins", "frees", "live_peak", "live_end")


class Tasks:
    """Counts by task. A slot belongs to the task whose page-out filled it, whoever frees it."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._rows = np.zeros((0, len(COLUMNS)), np.int64)

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, step: Step) -> None:
        """Take a batch; nothing without tasks."""
        task, kind = step.events.task, step.events.kind
        if task is None:
            return
        number = self._numbered(task)
        rows, n = self._rows, len(self._rows)
        for column, which in enumerate((kind >= 0, (kind == OUT) | (kind == LOST), kind == IN, kind == FREE)):
            rows[:, column] += np.bincount(number[which], minlength=n)
        # Twice the event, so that what an overwritten slot loses comes before what it gains.
        lost = np.flatnonzero(step.held & ((kind == OUT) | (kind == FREE) | (kind == LOST)))
        gained = np.flatnonzero(kind == OUT)
        owner = np.concatenate((self._numbered(step.task[lost]), number[gained]))
        order = np.lexsort((np.concatenate((2 * lost, 2 * gained + 1)), owner))
        if not len(order):
            return
        owner, change = owner[order], np.where(order < len(lost), -1, 1)
        first = np.flatnonzero(np.diff(owner, prepend=-1))
        who = owner[first]
        live = change.cumsum()
        before = live[first] - change[first]
        live += np.repeat(rows[who, 5] - before, np.diff(first, append=len(owner)))
        rows[who, 4] = np.maximum(rows[who, 4], np.maximum.reduceat(live, first))
        rows[who, 5] = live[np.append(first[1:], len(owner)) - 1]

    def _numbered(self, task: np.ndarray[tuple[int, ...], np.dtype[np.int32]]) -> Ints:
        """The row of each task; new ones get a row."""
        ids, inverse = np.unique(task, return_inverse=True)
        known = np.array([self._numbers.setdefault(one, len(self._numbers)) for one in ids.tolist()], np.int64)
        more = len(self._numbers) - len(self._rows)
        if more:
            self._rows = np.concatenate((self._rows, np.zeros((more, len(COLUMNS)), np.int64)))
        return known[inverse]

    def frame(self) -> pd.DataFrame:
        """A row a task, most page-outs first; see `Survey.df_tasks`."""
        import pandas as pd

        made = pd.DataFrame(self._rows, columns=list(COLUMNS))
        made.insert(0, "task", np.fromiter(self._numbers, np.int64, len(self._numbers)))
        return made.sort_values(["page_outs", "events", "task"], ascending=[False, False, True], ignore_index=True)
