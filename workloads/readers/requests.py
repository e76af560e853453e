"""Requests of a block device as events of pages."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workloads.readers.base import Batch
from workloads.traces.events import FREE

SECTOR = 512  # bytes
MOST = 1 << 30  # bytes of a read or write; longer ones are damage
MOST_FREED = 1 << 39  # bytes of a discard, of which a whole device may be one


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
    within = np.arange(int(count.sum()), dtype=np.int64) - np.repeat(np.cumsum(count) - count, count)
    slot = np.repeat(first_byte // np.uint64(page_size), count) + within.astype(np.uint64)
    return Batch(
        np.repeat(kind, count),
        slot,
        time_ns=None if time_ns is None else np.repeat(time_ns, count),
        task=None if task is None else np.repeat(task, count),
    )
