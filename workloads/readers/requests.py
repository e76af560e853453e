"""Requests of a block device as events of pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from workloads.readers.base import Batch
from workloads.traces.events import FREE, IN, OUT
from workloads.traces.slots import distinct

INFERRED = "inferred: none are in the file; a slot written again was freed before"
TRIMMED = "of the file, where the slot was written before; a slot written again was freed before"
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
    time_ns: npt.NDArray[np.int64] | None = None,
    task: npt.NDArray[np.int32] | None = None,
    *,
    page_size: int,
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
    """n requests in their order: what `paged` takes."""

    kind: npt.NDArray[np.uint8]
    first_byte: npt.NDArray[np.uint64]
    n_bytes: npt.NDArray[np.int64]
    time_ns: npt.NDArray[np.int64] | None = None
    task: npt.NDArray[np.int32] | None = None

    def __len__(self) -> int:
        return len(self.kind)

    def __getitem__(self, rows: slice) -> Requests:
        time_ns = None if self.time_ns is None else self.time_ns[rows]
        task = None if self.task is None else self.task[rows]
        return Requests(self.kind[rows], self.first_byte[rows], self.n_bytes[rows], time_ns, task)


class Paging:
    """Makes the events of the requests of a whole file, in parts of a bounded size.

    A discard frees the slots of its range that the file has written and not freed before: others are not in use as far
    as the file tells, and a range may be a whole device.
    """

    def __init__(self, page_size: int) -> None:
        self._page_size = page_size
        self._held = np.empty(0, np.uint64)  # slots, sorted

    def batches(self, requests: Requests) -> Iterator[Batch]:
        """Yield the events of some requests, which follow those before."""
        for part in self._parts(_whole_pages(requests, self._page_size)):
            if part.kind[0] == FREE and part.n_bytes[0] > PART * self._page_size:
                yield self._freed(part)
            else:
                yield self._used(paged(*vars(part).values(), page_size=self._page_size))

    def _parts(self, requests: Requests) -> Iterator[Requests]:
        """Some requests at once, of about `PART` events at most; one that is longer comes alone."""
        ends = np.cumsum((-(-requests.n_bytes // self._page_size)).astype(np.float64))  # a sum that cannot overflow
        start = 0
        while start < len(ends):
            before = ends[start - 1] if start else 0
            end = max(int(np.searchsorted(ends, before + PART, "right")), start + 1)
            yield requests[start:end]
            start = end

    def _freed(self, long: Requests) -> Batch:
        """The events of one discard, perhaps of a whole device."""
        first = int(long.first_byte[0]) // self._page_size
        behind = min(first - (-int(long.n_bytes[0]) // self._page_size), 2**64 - 1)
        start, end = np.searchsorted(self._held, np.array([first, behind], np.uint64))
        slot, self._held = self._held[start:end], np.delete(self._held, np.s_[start:end])
        time_ns = None if long.time_ns is None else np.repeat(long.time_ns, len(slot))
        task = None if long.task is None else np.repeat(long.task, len(slot))
        return Batch(np.full(len(slot), FREE, np.uint8), slot, time_ns, task)

    def _used(self, batch: Batch) -> Batch:
        """The events without frees of what is not held."""
        changes = np.flatnonzero(batch.kind != IN)
        changes = changes[np.argsort(batch.slot[changes], kind="stable")]
        slot, out = batch.slot[changes], batch.kind[changes] == OUT
        new = np.ones(len(slot), np.bool_)
        new[1:] = slot[1:] != slot[:-1]
        last = np.ones(len(slot), np.bool_)
        last[:-1] = new[1:]
        full = np.zeros(len(slot), np.bool_)
        full[1:] = out[:-1]
        full[new] = np.isin(slot[new], self._held)
        gone = slot[last & ~out]
        self._held = distinct(np.concatenate([self._held, slot[last & out]]))
        if len(gone):
            self._held = np.setdiff1d(self._held, gone, assume_unique=True)
        keep = np.ones(len(batch), np.bool_)
        keep[changes[~out & ~full]] = False
        return batch if keep.all() else batch.where(keep)


def _whole_pages(requests: Requests, page_size: int) -> Requests:
    """Discards cut to the whole pages in them: what is left of a page stays (drivers/block/zram, zram_bio_discard)."""
    freed = requests.kind == FREE
    page = np.uint64(page_size)
    skipped = ((page - requests.first_byte % page) % page).astype(np.int64)
    n_bytes = np.maximum((requests.n_bytes - skipped) // page_size * page_size, 0)
    moved = requests.first_byte + skipped.astype(np.uint64)
    return replace(
        requests,
        first_byte=np.where(freed & (n_bytes > 0), moved, requests.first_byte),
        n_bytes=np.where(freed, n_bytes, requests.n_bytes),
    )


def _within(count: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """0, 1, ... of every request's pages."""
    return np.arange(int(count.sum()), dtype=np.int64) - np.repeat(np.cumsum(count) - count, count)
