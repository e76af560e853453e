"""Limits on the decoded size of foreign files, checked before decoding; one of them can be lifted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from workloads.errors import TraceError

RATIO = 250  # times its size that a file may become, which what people record stays far below
FREE = 1 << 26  # bytes that any file may become
SLOTS = 1 << 27  # of a device: a replay has arrays of so many
OPTION = "--max-bytes"  # of the command, lifts what is said of RATIO and FREE

_lifted: list[int] = []


@contextmanager
def lifted(most: int) -> Iterator[None]:
    """Let every file become up to `most` bytes."""
    _lifted.append(most)
    try:
        yield
    finally:
        _lifted.pop()


def lifted_to() -> int | None:
    """How many bytes every file may become; None unless that was said."""
    return _lifted[-1] if _lifted else None


def check_growth(file: object, place: str, size: int, becomes: int) -> None:
    """Raise TraceError if a file of `size` bytes becomes, or so far became, too many bytes once it is decoded."""
    most = _lifted[-1] if _lifted else max(FREE, RATIO * size)
    if becomes > most:
        wrong = f"the file's {size:,} bytes become more than {most:,}"
        remedy = f"if that is expected, allow more, as with {OPTION} 64G"
        raise TraceError.at(file, place, wrong, remedy)


def check_slots(file: object, n_slots: int) -> None:
    """Raise TraceError if a device would need too many slots."""
    if n_slots > SLOTS:
        remedy = "number them without gaps; `cswap trace sample --share 1` does"
        raise TraceError.at(file, f"slot {n_slots - 1}", f"is too high, a device has at most {SLOTS:,} slots", remedy)
