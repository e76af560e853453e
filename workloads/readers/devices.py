"""Requests of one block device, from tables of them, as events of pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.readers.base import Batch
from workloads.readers.input import Input
from workloads.readers.requests import first_too_long, paged
from workloads.readers.table import REMEDY, Fault, check
from workloads.traces.events import FREE, IN, OUT

INFERRED = "inferred: none are in the file; a slot written again was freed before"
TRIMMED = "of the file, where the slot was written before; a slot written again was freed before"
PART = 1 << 20  # events at once


@dataclass(frozen=True, eq=False)
class Requests:
    """n requests: `kind` uint8[n], `first_byte` uint64[n], `n_bytes` int64[n], perhaps `time_ns` int64[n]."""

    kind: npt.NDArray[np.uint8]
    first_byte: npt.NDArray[np.uint64]
    n_bytes: npt.NDArray[np.int64]
    time_ns: npt.NDArray[np.int64] | None = None

    @classmethod
    def of(
        cls,
        rows: Sequence[int],
        kind: npt.NDArray[np.uint8],
        first_byte: npt.NDArray[np.uint64],
        size: npt.NDArray[np.uint64],
        time_ns: npt.NDArray[np.int64] | None = None,
    ) -> Requests:
        """Those of `rows`. Raises Fault for one that is too long, or ends behind the last byte there can be."""
        n_bytes = np.minimum(size, np.uint64(np.iinfo(np.int64).max)).astype(np.int64)
        long = first_too_long(kind, n_bytes)
        if long is not None:
            raise Fault(rows[long], f"a request of {size[long]} bytes is longer than any", REMEDY)
        behind = first_byte > np.uint64(2**64 - 1) - size
        check(rows, behind, lambda i: f"the request at byte {first_byte[i]} ends behind 2**64")
        return cls(kind, first_byte, n_bytes, time_ns)


def events(parts: Iterable[Requests], page_size: int) -> Iterator[Batch]:
    """Yield the events of requests, frees only of slots that were written before and not freed since."""
    held = np.empty(0, np.uint64)
    for part in parts:
        for few in _split(part, page_size):
            if few.n_bytes[0] > PART * page_size and few.kind[0] == FREE:
                batch, held = _trimmed(few, held, page_size)
            else:
                batch, held = _freed(paged(few.kind, few.first_byte, few.n_bytes, page_size, few.time_ns), held)
            yield batch


def one(wanted: str, before: Sequence[str], rows: Sequence[int], names: Sequence[str], option: str) -> list[str]:
    """All devices so far, those `before` and the `names` of `rows`. Raises Fault at the second, if none is `wanted`."""
    every = list(dict.fromkeys([*before, *names]))
    if not wanted and len(every) > 1:
        second = next(row for row, name in zip(rows, names, strict=True) if name != every[0])
        told = ", ".join(every[:8]) + (", ..." if len(every) > 8 else "")
        wrong = f"has requests of another device; those up to here are {told}"
        raise Fault(second, wrong, f"give one of them (--format {option}={every[0]})")
    return every


def found(file: Input, wanted: str, every: Sequence[str], option: str) -> None:
    """Raise TraceError if a device is `wanted` that is none of all."""
    if wanted and wanted not in every:
        there = ", ".join(every[:8]) or "none"
        raise TraceError.at(file.path, option, f"has no requests of {wanted!r}", f"those that have: {there}")


def _split(part: Requests, page_size: int) -> Iterator[Requests]:
    """Some requests at once, of about `PART` events at most; one that is longer comes alone."""
    ends = np.cumsum((-(-part.n_bytes // page_size)).astype(np.float64))  # a sum that cannot overflow
    start = 0
    while start < len(ends):
        before = ends[start - 1] if start else 0
        end = max(int(np.searchsorted(ends, before + PART, "right")), start + 1)
        time = None if part.time_ns is None else part.time_ns[start:end]
        yield Requests(part.kind[start:end], part.first_byte[start:end], part.n_bytes[start:end], time)
        start = end


def _trimmed(long: Requests, held: npt.NDArray[np.uint64], page_size: int) -> tuple[Batch, npt.NDArray[np.uint64]]:
    """The frees of one trim, perhaps of a whole device, and what is held after it."""
    first = int(long.first_byte[0]) // page_size
    behind = min(first - (-int(long.n_bytes[0]) // page_size), 2**64 - 1)
    start, end = np.searchsorted(held, np.array([first, behind], np.uint64))
    slot = held[start:end]
    time = None if long.time_ns is None else np.repeat(long.time_ns, len(slot))
    return Batch(np.full(len(slot), FREE, np.uint8), slot, time_ns=time), np.delete(held, np.s_[start:end])


def _freed(batch: Batch, held: npt.NDArray[np.uint64]) -> tuple[Batch, npt.NDArray[np.uint64]]:
    """The events without frees of what is not held, and what is held after them."""
    changes = np.flatnonzero(batch.kind != IN)
    changes = changes[np.argsort(batch.slot[changes], kind="stable")]
    slot, out = batch.slot[changes], batch.kind[changes] == OUT
    new = np.concatenate([np.ones(min(len(slot), 1), np.bool_), slot[1:] != slot[:-1]])
    last = np.concatenate([new[1:], np.ones(min(len(slot), 1), np.bool_)])
    full = np.concatenate([out[:0], np.zeros(min(len(slot), 1), np.bool_), out[:-1]])
    full[new] = np.isin(slot[new], held)
    gone = slot[last & ~out]
    after = np.union1d(held, slot[last & out])
    if len(gone):
        after = np.setdiff1d(after, gone, assume_unique=True)
    keep = np.ones(len(batch), np.bool_)
    keep[changes[~out & ~full]] = False
    if keep.all():
        return batch, after
    time = None if batch.time_ns is None else batch.time_ns[keep]
    return Batch(batch.kind[keep], batch.slot[keep], time_ns=time), after
