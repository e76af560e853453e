"""Requests of a block device as events of pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workloads.readers.base import Batch
from workloads.traces.events import FREE, OUT

SECTOR = 512  # bytes
MOST = 1 << 30  # bytes of a read or write; longer ones are damage
MOST_FREED = 1 << 50  # bytes of a discard, of which a whole device may be one
PART = 1 << 20  # events made at once


def first_too_long(kind: npt.NDArray[np.uint8], n_bytes: npt.NDArray[np.int64]) -> int | None:
    """The first request that is longer than any, or shorter than nothing; None if there is none."""
    most = np.where(kind == FREE, MOST_FREED, MOST)
    wrong = np.flatnonzero((n_bytes < 0) | (n_bytes > most))
    return int(wrong[0]) if len(wrong) else None


def paged(
    kind: npt.NDArray[np.uint8],
    first_byte: npt.NDArray[np.uint64],
    n_bytes: npt.NDArray[np.int64],
    page_size: int,
    time_ns: npt.NDArray[np.int64] | None = None,
    task: npt.NDArray[np.int32] | None = None,
) -> Batch:
    """The events of requests: of n bytes ceil(n / page_size), at consecutive slots, from that of the first byte.

    `kind` as in `workloads.traces.events`; all arrays have one length. Of no bytes there are no events. Requests must
    be no longer than `first_too_long` lets pass.
    """
    count = -(-n_bytes // page_size)
    slot = np.repeat(first_byte // np.uint64(page_size), count) + _within(count).astype(np.uint64)
    return Batch(
        np.repeat(kind, count),
        slot,
        time_ns=None if time_ns is None else np.repeat(time_ns, count),
        task=None if task is None else np.repeat(task, count),
    )


@dataclass(frozen=True, eq=False)
class Requests:
    """Some requests, in their order: the arrays that `paged` takes, of one length."""

    kind: npt.NDArray[np.uint8]
    first_byte: npt.NDArray[np.uint64]
    n_bytes: npt.NDArray[np.int64]
    time_ns: npt.NDArray[np.int64]
    task: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.kind)

    def __getitem__(self, rows: slice | npt.NDArray[Any]) -> Requests:
        return Requests(*(column[rows] for column in vars(self).values()))


class Paging:
    """Makes the events of the requests of a whole file, in parts of a bounded size.

    A discard frees the slots of its range that the file has written and not freed before: others are not in use as far
    as the file tells, and a range may be a whole device.
    """

    def __init__(self, page_size: int) -> None:
        self._page_size = page_size
        self._used: set[int] = set()

    def batches(self, requests: Requests) -> Iterator[Batch]:
        """Yield the events of some requests, which follow those before."""
        frees = np.flatnonzero(requests.kind == FREE).tolist()
        start = 0
        for free in frees:
            yield from self._moves(requests[start:free])
            batch = self._discard(requests[free : free + 1])
            if len(batch):
                yield batch
            start = free + 1
        yield from self._moves(requests[start:])

    def _moves(self, requests: Requests) -> Iterator[Batch]:
        """The events of reads and writes."""
        ends = np.cumsum(-(-requests.n_bytes // self._page_size))
        start = 0
        while start < len(requests):
            done = int(ends[start - 1]) if start else 0
            end = max(start + 1, int(np.searchsorted(ends, done + PART, "right")))
            part = requests[start:end]
            batch = paged(part.kind, part.first_byte, part.n_bytes, self._page_size, part.time_ns, part.task)
            self._used.update(batch.slot[batch.kind == OUT].tolist())
            if len(batch):
                yield batch
            start = end

    def _discard(self, request: Requests) -> Batch:
        """The events of one discard."""
        first = int(request.first_byte[0]) // self._page_size
        within = range(first, first - (-int(request.n_bytes[0]) // self._page_size))
        few, other = (self._used, within) if len(self._used) < len(within) else (within, self._used)
        freed = sorted(slot for slot in few if slot in other)
        self._used.difference_update(freed)
        slot = np.array(freed, np.uint64)
        count = len(slot)
        time_ns, task = np.repeat(request.time_ns, count), np.repeat(request.task, count)
        return Batch(np.full(count, FREE, np.uint8), slot, time_ns=time_ns, task=task)


def _within(count: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """0, 1, ... of every request's pages."""
    return np.arange(int(count.sum()), dtype=np.int64) - np.repeat(np.cumsum(count) - count, count)
