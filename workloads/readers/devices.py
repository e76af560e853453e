"""Requests of one block device, from tables of them, as events of pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.readers.base import Batch
from workloads.readers.input import Input
from workloads.readers.requests import Paging, Requests, first_too_long
from workloads.readers.table import REMEDY, Fault, check


def checked(
    rows: Sequence[int],
    kind: npt.NDArray[np.uint8],
    first_byte: npt.NDArray[np.uint64],
    size: npt.NDArray[np.uint64],
    time_ns: npt.NDArray[np.int64] | None = None,
    task: npt.NDArray[np.int32] | None = None,
) -> Requests:
    """The requests of `rows`. Raises Fault for one that is too long, or ends behind the last byte there can be."""
    n_bytes = np.minimum(size, np.uint64(np.iinfo(np.int64).max)).astype(np.int64)
    long = first_too_long(kind, n_bytes)
    if long is not None:
        raise Fault(rows[long], f"a request of {size[long]} bytes is longer than any", REMEDY)
    behind = first_byte > np.uint64(2**64 - 1) - size
    check(rows, behind, lambda i: f"the request at byte {first_byte[i]} ends behind 2**64")
    return Requests(kind, first_byte, n_bytes, time_ns, task)


def events(parts: Iterable[Requests], page_size: int) -> Iterator[Batch]:
    """Yield the events of the requests of a file."""
    paging = Paging(page_size)
    for part in parts:
        yield from paging.batches(part)


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
