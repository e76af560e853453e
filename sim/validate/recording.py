"""The files of a recorded zram device: its operations, its pages and the rows of mm_stat that it showed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sim.errors import UserError
from workloads.host.mmstat import FIELDS, MmStat
from workloads.readers.stream import lines
from workloads.traces.events import COMPACT, FREE, OUT, Events
from workloads.traces.rawpages import raw_pages

Moved = Callable[[int], None]  # called with the bytes of the file read so far

LINE = re.compile(rb"(?:w ([0-9]{1,18}) ([0-9]{1,18})|d ([0-9]{1,18})|(c))")
FORMS = "lines are `w SLOT PAGE` (write), `d SLOT` (discard) or `c` (compact)"
HEADER = ",".join(("ops_done", *FIELDS))


def read_pages(path: Path, page_size: int, moved: Moved) -> npt.NDArray[np.uint8]:
    """Concatenated pages, plain, .gz or .zst; uint8[n, page_size]. Raises TraceError."""
    return np.concatenate(list(raw_pages(path, page_size, moved)))


def read_operations(path: Path, n_pages: int, moved: Moved) -> Events:
    """Operations on a fresh device, plain, .gz or .zst; a discard is a FREE.

    Slots are renumbered without gaps, which changes no figure. Raises UserError for a malformed line or a page that is
    not among the `n_pages`, TraceError for a file that cannot be read to its end.
    """
    kind, slot, page = bytearray(), [], []
    for place, line in _numbered(path, moved):
        found = LINE.fullmatch(line)
        if found is None:
            raise UserError(f"{place}: {line[:40].decode(errors='replace')!r} is malformed; {FORMS}")
        written, content, discarded, _ = found.groups()
        if written:
            if int(content) >= n_pages:
                raise UserError(f"{place}: page {int(content)} of {n_pages}; pages are counted from 0")
            kind.append(OUT)
            slot.append(int(written))
            page.append(int(content))
        else:
            kind.append(FREE if discarded else COMPACT)
            slot.append(int(discarded or -1))
            page.append(-1)
    if not kind:
        raise UserError(f"{path}: has no operations; {FORMS}")
    kinds, slots = np.frombuffer(kind, np.uint8), np.array(slot, np.int64)
    used = kinds != COMPACT
    numbers = np.zeros(len(slots), np.int64)
    numbers[used] = np.unique(slots[used], return_inverse=True)[1]
    return Events.of(kinds, numbers, page)


def read_expected(path: Path, n_operations: int) -> list[tuple[int, MmStat]]:
    """The rows of a CSV: operations done, and mm_stat then.

    Raises UserError for another header, a malformed row, rows out of order or beyond the `n_operations`.
    """
    rows: list[tuple[int, MmStat]] = []
    numbered = _numbered(path, lambda moved: None)
    place, header = next(numbered, (f"{path}:1", b""))
    if header.decode(errors="replace") != HEADER:
        raise UserError(f"{place}: the header is not {HEADER}")
    for place, line in numbered:
        cells = line.split(b",")
        if len(cells) != 1 + len(FIELDS) or not all(re.fullmatch(rb"[0-9]{1,18}", cell) for cell in cells):
            raise UserError(f"{place}: is not {1 + len(FIELDS)} whole numbers, as the header says")
        ops_done, *fields = map(int, cells)
        if rows and ops_done <= rows[-1][0]:
            raise UserError(f"{place}: ops_done {ops_done} follows {rows[-1][0]}; sort the rows, one an ops_done")
        if ops_done > n_operations:
            raise UserError(f"{place}: ops_done {ops_done}, but there are {n_operations} operations; give all of them")
        rows.append((ops_done, MmStat(*fields)))
    if not rows:
        raise UserError(f"{path}: has no rows; there is nothing to compare")
    return rows


def _numbered(path: Path, moved: Moved) -> Iterator[tuple[str, bytes]]:
    """The lines that are not blank, each with its FILE:LINE."""
    number = 0
    for block in lines(path, moved):
        for line in block.splitlines():
            number += 1
            if line.strip():
                yield f"{path}:{number}", line.rstrip()
