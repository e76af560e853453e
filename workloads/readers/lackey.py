"""Memory accesses of a program, as valgrind's tool lackey prints them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.readers.base import Batch, Facts, Reader
from workloads.readers.input import Head, Input
from workloads.readers.table import Row, check, form, tables, whole
from workloads.traces.events import IN, OUT

LINE = form(rb"(I | [LSM]) ([0-9a-fA-F]{1,16}),(\d{1,20})|((?:==|--)[^\n]*)")
WRITES = {b"I ": False, b" L": False, b" S": True, b" M": True}
COLUMNS = "`I  ADDRESS,SIZE` or one of L, S, M"
REMEDY = "mend or remove the line; record with --log-file to keep the program's own output out"
LOOKED = 64  # lines that the format is told by

Accesses = tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]  # pages, and whether each is written


class Lackey(Reader):
    """`valgrind --tool=lackey --trace-mem=yes`: instructions and loads read a page, stores and modifies write it.

    The slot is the number of the page. Accesses that follow each other in one page are one event, a write if any of
    them is. No times.
    """

    name: ClassVar[str] = "lackey"
    title: ClassVar[str] = "memory accesses of valgrind's lackey"
    references: ClassVar[bool] = True

    @classmethod
    def sniff(cls, head: Head) -> bool:
        """By its lines, those of valgrind itself aside."""
        found = [LINE.fullmatch(line + b"\n") for line in head.lines if line[:2] not in (b"==", b"--")][:LOOKED]
        return bool(found) and all(match and match[1] and not match[5] for match in found)

    def read(self, file: Input, facts: Facts) -> Iterator[Batch]:
        """See `Reader.read`."""
        facts["events"] = "references: instructions and loads are reads, stores and modifies are writes"
        facts["accesses"] = facts["merged"] = facts["lines_skipped"] = 0
        last: Accesses = np.empty(0, np.uint64), np.empty(0, np.bool_)

        def made(rows: list[Row]) -> Accesses:
            accesses, skipped, pages, write = _accesses(rows, file.page_size)
            facts["accesses"] += accesses
            facts["lines_skipped"] += skipped
            return pages, write

        try:
            for pages, write in tables(file, LINE, COLUMNS, made, REMEDY):
                touched = len(pages)
                pages, write = _merged(np.concatenate([last[0], pages]), np.concatenate([last[1], write]))
                facts["merged"] += len(last[0]) + touched - len(pages)
                last = pages[-1:], write[-1:]
                yield _batch(pages[:-1], write[:-1])
        except TraceError:
            yield _batch(*last)
            raise
        yield _batch(*last)


def _accesses(rows: list[Row], page_size: int) -> tuple[int, int, npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    """How many accesses and other lines there are, and of each access its page, or the two that it touches."""
    lines = [line for line, row in enumerate(rows) if row[0]]
    write = np.array([WRITES[rows[line][0]] for line in lines], np.bool_)
    address = whole("address", lines, [rows[line][1] for line in lines], np.uint64, 16)
    size = whole("size", lines, [rows[line][2] for line in lines], np.uint64)
    wrong = (size < 1) | (size > page_size)
    check(lines, wrong, lambda i: f"size {size[i]} is not within 1 and {page_size}")
    last = address + (size - np.uint64(1))
    check(lines, last < address, lambda i: f"address {address[i]:#x} is too near to 2**64")
    first, last = address // np.uint64(page_size), last // np.uint64(page_size)
    both = np.stack([first, last], axis=1).ravel()
    touched = np.stack([np.ones(len(lines), np.bool_), first != last], axis=1).ravel()
    return len(lines), sum(bool(row[3]) for row in rows), both[touched], np.repeat(write, 2)[touched]


def _merged(pages: npt.NDArray[np.uint64], write: npt.NDArray[np.bool_]) -> Accesses:
    """Of each run of the same page the first access, and the first write if that is another: a fault is what it was."""
    begins = np.ones(len(pages), np.bool_)
    begins[1:] = pages[1:] != pages[:-1]
    run = np.cumsum(begins)
    written = np.flatnonzero(write)
    first = np.ones(len(written), np.bool_)
    first[1:] = run[written][1:] != run[written][:-1]
    kept = begins.copy()
    kept[written[first]] = True
    return pages[kept], write[kept]


def _batch(pages: npt.NDArray[np.uint64], write: npt.NDArray[np.bool_]) -> Batch:
    return Batch(np.where(write, np.uint8(OUT), np.uint8(IN)), pages)
