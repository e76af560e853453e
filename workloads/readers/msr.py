"""Requests of servers' disks, as the traces of MSR Cambridge have them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from workloads.readers.base import Batch, Facts, Reader
from workloads.readers.devices import checked, events, found, one
from workloads.readers.input import Head, Input
from workloads.readers.requests import INFERRED, Requests
from workloads.readers.table import Row, check, form, tables, whole
from workloads.traces.events import IN, OUT

LINE = form(
    rb"(\d{1,20}),([^,\n]{1,255}),(\d{1,10}),(Read|Write),(\d{1,20}),(\d{1,20}),\d{1,20}|Timestamp,[^\n]*|#[^\n]*"
)
COLUMNS = "Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime"
OPTION = "msr:disk"
UNIX = 116_444_736_000_000_000  # ticks of 100 ns from 1601 to 1970
LATEST = UNIX + (2**63 - 1) // 100
LOOKED = 64  # lines that the format is told by


class Msr(Reader):
    """CSV without a header, of one disk; times in ticks of 100 ns since 1601.

    `disk` is the one of several, HOST.NUMBER, whose requests are read.
    """

    name: ClassVar[str] = "msr"
    title: ClassVar[str] = "requests as in the traces of MSR Cambridge"

    def __init__(self, disk: str = "") -> None:
        self._disk = disk

    @classmethod
    def sniff(cls, head: Head) -> bool:
        """By its lines."""
        matches = [LINE.fullmatch(line + b"\n") for line in head.lines[:LOOKED]]
        return all(match and not match[7] for match in matches) and any(match and match[1] for match in matches)

    def read(self, file: Input, facts: Facts) -> Iterator[Batch]:
        """See `Reader.read`."""
        facts["frees"] = INFERRED
        every: list[str] = []

        def made(rows: list[Row]) -> Requests:
            lines = [line for line, row in enumerate(rows) if row[0]]
            names = [f"{rows[line][1].decode(errors='replace')}.{rows[line][2].decode()}" for line in lines]
            every[:] = one(self._disk, every, lines, names, OPTION)
            return _requests(rows, [line for line, n in zip(lines, names, strict=True) if self._disk in ("", n)])

        yield from events(tables(file, LINE, COLUMNS, made), file.page_size)
        found(file, self._disk, every, OPTION)


def _requests(rows: list[Row], lines: list[int]) -> Requests:
    ticks = whole("Timestamp", lines, [rows[line][0] for line in lines], np.uint64)
    wrong = (ticks < UNIX) | (ticks > LATEST)
    check(lines, wrong, lambda i: f"Timestamp {ticks[i]} is no time after 1970 in ticks of 100 ns since 1601")
    kind = np.array([OUT if rows[line][3] == b"Write" else IN for line in lines], np.uint8)
    offset = whole("Offset", lines, [rows[line][4] for line in lines], np.uint64)
    size = whole("Size", lines, [rows[line][5] for line in lines], np.uint64)
    return checked(lines, kind, offset, size, (ticks.astype(np.int64) - UNIX) * 100)
