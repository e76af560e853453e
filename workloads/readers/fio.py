"""Requests as fio logs them (`write_iolog`), and as it replays them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.progress import silent
from workloads.readers.base import Batch, Facts, Reader
from workloads.readers.devices import checked, events, found, one
from workloads.readers.input import Head, Input
from workloads.readers.requests import INFERRED, TRIMMED, Requests
from workloads.readers.table import Fault, Row, check, form, tables, whole
from workloads.traces.events import FREE, IN, OUT

HEADER = re.compile(rb"fio version ([23]) iolog[ \t\r]*")
ACTION = rb"([^\s]+)[ \t]+(?:(add|open|close)|(read|write|trim|sync|datasync|sync_file_range|wait)[ \t]+(\d{1,20})"
ACTION += rb"(?:[ \t]+(\d{1,20}))?)|fio version [23] iolog|#[^\n]*"
LINES = {2: form(rb"()" + ACTION), 3: form(rb"(\d{1,20})[ \t]+" + ACTION)}
COLUMNS = {2: "`FILE ACTION OFFSET LENGTH`", 3: "`MICROSECONDS FILE ACTION OFFSET LENGTH`"}
KINDS = {b"read": IN, b"write": OUT, b"trim": FREE}
OPTION = "fio:file"
LATEST_US = (2**63 - 1) // 1000


class Fio(Reader):
    """fio's iolog of version 2 or 3. A trim frees what was written before; syncs change nothing.

    Microseconds of version 3 (fio's iolog.c; its manual gives no unit), and waits of version 2, are times; without any
    there are none. `file` is the one of several files whose requests are read.
    """

    name: ClassVar[str] = "fio"
    title: ClassVar[str] = "requests in an iolog of fio"

    def __init__(self, file: str = "") -> None:
        self._file = file

    @classmethod
    def sniff(cls, head: Head) -> bool:
        """By its first line."""
        return bool(head.lines) and HEADER.fullmatch(head.lines[0]) is not None

    def read(self, file: Input, facts: Facts) -> Iterator[Batch]:
        """See `Reader.read`."""
        first = Head.of(file.path).lines[:1]
        header = HEADER.fullmatch(first[0]) if first else None
        if header is None:
            raise TraceError.at(file.path, "line 1", "is no header of an iolog", "begin with `fio version 2 iolog`")
        version = int(header[1])
        facts["version"] = version
        facts["frees"] = INFERRED
        log = _Log(self._file, facts, version == 3 or _waits(file))
        yield from events(tables(file, LINES[version], COLUMNS[version], log.requests), file.page_size)
        found(file, self._file, log.names, OPTION)


class _Log:
    """What was read of a log so far: the clock of its waits, the files with requests."""

    def __init__(self, wanted: str, facts: Facts, timed: bool) -> None:
        self._wanted, self._facts, self._timed = wanted, facts, timed
        self._clock = 0  # us
        self.names: list[str] = []

    def requests(self, rows: list[Row]) -> Requests:
        """The requests among rows; raises Fault."""
        lines = [line for line, row in enumerate(rows) if row[3] in KINDS]
        waits = [line for line, row in enumerate(rows) if row[3] == b"wait" and not row[0]]
        names = [rows[line][1].decode(errors="replace") for line in lines]
        every = one(self._wanted, self.names, lines, names, OPTION)
        mine = [line for line, name in zip(lines, names, strict=True) if not self._wanted or name == self._wanted]
        bare = next((line for line in mine if not rows[line][5]), None)
        if bare is not None:
            raise Fault(bare, "has no length", "mend or remove the line")
        kind = np.array([KINDS[rows[line][3]] for line in mine], np.uint8)
        offset = whole("offset", mine, [rows[line][4] for line in mine], np.uint64)
        length = whole("length", mine, [rows[line][5] for line in mine], np.uint64)
        us = self._waited(rows, waits)
        result = checked(mine, kind, offset, length, self._times(rows, mine, us))
        self._clock = int(us[-1])
        self.names = every
        if (kind == FREE).any():
            self._facts["frees"] = TRIMMED
        return result

    def _waited(self, rows: list[Row], waits: list[int]) -> npt.NDArray[np.int64]:
        """Microseconds of the clock before the first row and after each of all."""
        waited = whole("wait", waits, [rows[line][4] for line in waits], np.uint64)
        late = self._clock + np.cumsum(waited.astype(np.float64)) > LATEST_US - 1024
        check(waits, late, lambda i: f"wait {waited[i]} goes beyond what a time can be")
        us = np.zeros(len(rows) + 1, np.int64)
        us[np.array(waits, np.int64) + 1] = waited.astype(np.int64)
        us[0] = self._clock
        return np.cumsum(us)

    def _times(self, rows: list[Row], lines: list[int], us: npt.NDArray[np.int64]) -> npt.NDArray[np.int64] | None:
        if not self._timed:
            return None
        if self._facts["version"] == 2:
            return us[lines] * 1000
        at = whole("time", lines, [rows[line][0] for line in lines], np.uint64)
        check(lines, at > LATEST_US, lambda i: f"time {at[i]} us is out of range")
        return at.astype(np.int64) * 1000


def _waits(file: Input) -> bool:
    """Whether a log of version 2 has a wait: all batches have times, or none has."""
    quiet = Input(file.path, file.page_size, silent)
    with suppress(TraceError):  # told by the reading that follows
        return any(re.search(rb"[ \t]wait[ \t]+\d", block) for _, block in quiet.lines())
    return False
