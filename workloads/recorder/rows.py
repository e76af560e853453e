"""Events of an epoch, collected in any order and put into theirs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from workloads.recorder.records import Records
from workloads.traces.events import OUT, Events

ZERO_PAGE = -2  # in place of a row of contents: a page of zeros
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Epoch:
    """Events in their order; `page` counts through `content` uint8[m, page size], of which each is referred to."""

    events: Events
    content: npt.NDArray[np.uint8]

    def since(self, began_ns: int) -> Epoch:
        """The same with times from `began_ns` on."""
        assert self.events.time_ns is not None
        return Epoch(replace(self.events, time_ns=self.events.time_ns - began_ns), self.content)


class Rows:
    """Events that go with a record, before or after each other, and events that come at the end of the epoch."""

    def __init__(self) -> None:
        self._at: list[tuple[Ints, int, npt.NDArray[np.uint8]]] = []
        self._before: list[tuple[int, Ints, npt.NDArray[np.int32], int]] = []
        self._later: list[tuple[int, Ints, npt.NDArray[np.int32], int]] = []

    def add(self, record: Ints, order: int, kind: npt.ArrayLike) -> None:
        """An event of `kind` (one, or one each) for each of these records; `order` among those of one record."""
        self._at.append((record, order, np.broadcast_to(np.asarray(kind, np.uint8), record.shape)))

    def add_before(self, kind: int, slot: Ints, task: npt.NDArray[np.int32], time_ns: int) -> None:
        """Events of a kind at the beginning of the epoch; a page-out is one of a page of zeros."""
        self._before.append((kind, slot, task, time_ns))

    def add_later(self, kind: int, slot: Ints, task: npt.NDArray[np.int32], time_ns: int) -> None:
        """Events of a kind at the end of the epoch; a page-out is one of a page of zeros."""
        self._later.append((kind, slot, task, time_ns))

    def epoch(self, records: Records, page: npt.NDArray[np.int32]) -> Epoch:
        """All events, and the contents they refer to: what nobody refers to may be another program's, and stays behind.

        `page` int32[records]: the row of contents, -1 or ZERO_PAGE.
        """
        record = np.concatenate([np.empty(0, np.int64), *(rows for rows, _, _ in self._at)])
        order = np.concatenate([np.empty(0, np.int64), *(np.full(len(rows), n) for rows, n, _ in self._at)])
        kind = np.concatenate([np.empty(0, np.uint8), *(kinds for _, _, kinds in self._at)])
        sorted_ = np.lexsort((order, record))
        record, kind = record[sorted_], kind[sorted_]
        here = (kind, records.slot[record], records.pid[record], records.time_ns[record])
        parts = [*map(_spread, self._before), here, *map(_spread, self._later)]
        kinds, slots, tasks, times = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        pages = np.full(len(kinds), ZERO_PAGE, np.int32)
        first = sum(len(slot) for _, slot, _, _ in self._before)
        pages[first : first + len(record)] = page[record]
        pages[kinds != OUT] = -1
        caught = pages >= 0
        kept = np.unique(pages[caught])
        content = records.content if len(kept) == len(records.content) else records.content[kept]
        pages[caught] = np.searchsorted(kept, pages[caught])
        if (pages == ZERO_PAGE).any():
            content = np.concatenate([content, np.zeros((1, content.shape[1]), np.uint8)])
            pages[pages == ZERO_PAGE] = len(content) - 1
        return Epoch(Events.of(kinds, slots, pages, times, tasks), content)


def _spread(events: tuple[int, Ints, npt.NDArray[np.int32], int]) -> tuple[npt.NDArray[Any], ...]:
    kind, slot, task, time = events
    return np.full(len(slot), kind, np.uint8), slot, task, np.full(len(slot), time, np.int64)
