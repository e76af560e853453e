"""Requests of a block device as CSV, as libCacheSim ships them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from workloads.readers.base import Batch, Facts, Reader
from workloads.readers.devices import checked, events
from workloads.readers.input import Head, Input
from workloads.readers.requests import INFERRED, SECTOR, TRIMMED, Requests
from workloads.readers.table import Row, check, form, tables, whole
from workloads.traces.events import FREE, IN, OUT

COLUMNS = "version,time,op,size,lbn"
HEADER = re.compile(rb"(?:\xef\xbb\xbf)?version,time,op,size,lbn\s*")
LINE = form(
    rb"\d{1,20},(\d{1,20})(?:\.(\d{1,9})\d*)?,(?:0[xX])?([0-9a-fA-F]{1,2}),(\d{1,20}),(\d{1,20})"
    rb"|(?:\xef\xbb\xbf)?version,time,op,size,lbn|#[^\n]*"
)
KINDS = {
    **dict.fromkeys((0x08, 0x28, 0xA8, 0x88), IN),  # READ(6), (10), (12), (16)
    **dict.fromkeys((0x0A, 0x2A, 0xAA, 0x8A), OUT),  # WRITE
    0x42: FREE,  # UNMAP
}
LATEST = (2**63 - 1) // 10**9 - 1  # s


class CachesimCsv(Reader):
    """`version,time,op,size,lbn`: seconds, a SCSI opcode in hex, bytes, sectors of 512 bytes.

    Other opcodes than reads, writes and UNMAP are skipped.
    """

    name: ClassVar[str] = "cachesim-csv"
    title: ClassVar[str] = "block requests as CSV, of libCacheSim"

    @classmethod
    def sniff(cls, head: Head) -> bool:
        """By its header."""
        return bool(head.lines) and HEADER.fullmatch(head.lines[0]) is not None

    def read(self, file: Input, facts: Facts) -> Iterator[Batch]:
        """See `Reader.read`."""
        facts["frees"], facts["requests_skipped"] = INFERRED, 0

        def made(rows: list[Row]) -> Requests:
            every = [(line, int(row[2], 16)) for line, row in enumerate(rows) if row[2]]
            known = [line for line, op in every if op in KINDS]
            requests = _requests(rows, known, np.array([KINDS[op] for _, op in every if op in KINDS], np.uint8))
            facts["requests_skipped"] += len(every) - len(known)
            if (requests.kind == FREE).any():
                facts["frees"] = TRIMMED
            return requests

        yield from events(tables(file, LINE, COLUMNS, made), file.page_size)


def _requests(rows: list[Row], lines: list[int], kind: npt.NDArray[np.uint8]) -> Requests:
    seconds = whole("time", lines, [rows[line][0] for line in lines], np.uint64)
    check(lines, seconds > LATEST, lambda i: f"time {seconds[i]} s is out of range")
    parts = np.array([int(rows[line][1].ljust(9, b"0")) for line in lines], np.int64)
    size = whole("size", lines, [rows[line][3] for line in lines], np.uint64)
    sector = whole("lbn", lines, [rows[line][4] for line in lines], np.uint64)
    check(lines, sector >= 2**64 // SECTOR, lambda i: f"lbn {sector[i]} is out of range")
    time_ns = seconds.astype(np.int64) * 10**9 + parts
    return checked(lines, kind, sector * np.uint64(SECTOR), size, time_ns)
