"""Corpora of quetschn: `NAME.pages` with the pages, `NAME.tsv` with a line for each.

Source: corpus_writer in tools/collect/resident.cpp and docs/measuring.md of quetschn (martinus/quetschn). Dumps of zram
that it imports have process 0, and bytes of the device for addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.readers.base import Batch, Facts, Reader
from workloads.readers.image import opened
from workloads.readers.input import Head, Input
from workloads.traces.rawpages import CODECS

ENDINGS = (".pages", ".tsv")
COLUMNS = b"page\tpid\tcomm\taddress\t"
SIZE = re.compile(rb"# page_size=(\d{1,9})")
ROW = re.compile(rb"(\d{1,18})\t(\d{1,10})\t[^\t\n]*\t([0-9a-f]{1,16})\t[^\n]*")
PAGE_BITS = 40  # of a slot: the page's number in its process
MEND = "give both files as quetschn wrote them"


class Quetschn(Reader):
    """Each page goes to slot PID * 2**40 + address / page size, in the file's order; the task is the process."""

    name: ClassVar[str] = "quetschn"
    title: ClassVar[str] = "corpus of quetschn (.pages and .tsv)"

    @classmethod
    def sniff(cls, head: Head) -> bool:
        """See `Reader.sniff`."""
        if head.name.endswith(".pages"):
            return _beside(head.path, ".tsv", head.name.removesuffix(".pages")) is not None
        return any(line.startswith(COLUMNS) for line in head.lines[:2])

    def read(self, file: Input, facts: Facts) -> Iterator[Batch]:
        """See `Reader.read`."""
        base = _base(file.path.stem if file.compressed else file.path.name)
        if base is None:
            wrong = "ends neither in .pages nor in .tsv"
            raise TraceError.at(file.path, "name", wrong, "name the files as quetschn does")
        names = [_beside(file.path, ending, base) for ending in ENDINGS]
        for name, ending in zip(names, ENDINGS, strict=True):
            if name is None:
                remedy = f"{MEND}, or import the pages with --format dump"
                raise TraceError.at(file.path, "folder", f"has no {base}{ending} beside it", remedy)
        pages, lines = (file if name == file.path.name else file.other(str(name)) for name in names)
        facts["addresses"] = f"virtual, or bytes of a device: slot = process * 2**{PAGE_BITS} + address / page size"
        rows = _Rows(lines)
        with opened(pages, facts) as image:
            for batch in image.pages():
                pid, slot = rows.of(batch.slot.astype(np.int64))
                yield Batch(batch.kind, slot, task=pid, pages=batch.pages)
        rows.end()


class _Rows:
    """The rows of a table, as far as they were asked for."""

    def __init__(self, file: Input) -> None:
        self._file, self._parts = file, self._parsed()
        self._first = 0  # number of the row that `pid` and `slot` begin with
        self._pid, self._slot = np.empty(0, np.int32), np.empty(0, np.uint64)

    def of(self, pages: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint64]]:
        """The processes and slots of pages, ascending. Raises TraceError."""
        while self._first + len(self._pid) <= pages[-1]:
            part = next(self._parts, None)
            if part is None:
                wrong = f"tells of {self._first + len(self._pid):,} pages, but there are more"
                raise TraceError.at(self._file.path, "rows", wrong, MEND)
            drop = min(int(pages[0]) - self._first, len(self._pid))
            self._pid = np.concatenate([self._pid[drop:], part[0]])
            self._slot = np.concatenate([self._slot[drop:], part[1]])
            self._first += drop
        rows = pages - self._first
        return self._pid[rows], self._slot[rows]

    def end(self) -> None:
        """Raise TraceError if there are more rows than pages."""
        if next(self._parts, None) is not None:
            raise TraceError.at(self._file.path, "rows", "tells of more pages than there are", MEND)

    def _parsed(self) -> Iterator[tuple[npt.NDArray[np.int32], npt.NDArray[np.uint64]]]:
        size, row, headed = self._file.page_size, 0, False
        for first, block in self._file.lines():
            pids, slots = [], []
            for number, line in enumerate(block.splitlines(), first):
                if not headed:
                    headed = self._header(number, line)
                    continue
                found = ROW.fullmatch(line)
                wrong = None
                if not found:
                    wrong = "is no row: page, pid, comm, address in hexadecimal, ..."
                elif int(found[1]) != row:
                    wrong = f"is of page {int(found[1])}, not {row}"
                elif int(found[2]) >= 1 << 22 or int(found[3], 16) % size:
                    wrong = f"process {int(found[2])}, address {found[3].decode()} cannot be, for pages of {size} bytes"
                if wrong or not found:
                    raise TraceError.at(self._file.path, f"line {number}", str(wrong), MEND)
                pids.append(int(found[2]))
                slots.append((int(found[2]) << PAGE_BITS) + int(found[3], 16) // size)
                row += 1
            if pids:
                yield np.array(pids, np.int32), np.array(slots, np.uint64)

    def _header(self, number: int, line: bytes) -> bool:
        """Whether this line names the columns; one before it may tell the size of pages."""
        size = SIZE.fullmatch(line)
        if size and int(size[1]) != self._file.page_size:
            wrong = f"pages have {int(size[1])} bytes, not {self._file.page_size}"
            raise TraceError.at(self._file.path, f"line {number}", wrong, f"give --page-size {int(size[1])}")
        if not size and not line.startswith(COLUMNS):
            wrong = "does not name the columns page, pid, comm, address"
            raise TraceError.at(self._file.path, f"line {number}", wrong, MEND)
        return not size


def _base(name: str) -> str | None:
    return next((name.removesuffix(ending) for ending in ENDINGS if name.endswith(ending)), None)


def _beside(path: Path, ending: str, base: str) -> str | None:
    names = (base + ending + packed for packed in ("", *CODECS))
    return next((name for name in names if (path.parent / name).is_file()), None)
