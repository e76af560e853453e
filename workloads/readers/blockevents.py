"""Texts of what the block layer does with requests, line by line: what `blkparse` and `trace-events` share."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.readers.base import Batch, Facts, Reader
from workloads.readers.devices import checked, events
from workloads.readers.input import Input
from workloads.readers.requests import INFERRED, SECTOR, TRIMMED, Requests
from workloads.readers.table import Fault, Row, check, whole
from workloads.traces.events import FREE, IN, OUT

TIME = rb"(\d{1,20})\.(\d{1,9})"  # seconds
RANGE = rb"(\d{1,20}) \+ (\d{1,20}) "  # sectors
END = rb"\[[^\n]{0,99}\][ \t\r]*$"  # a process or an error
SECOND, FRACTION, LETTERS, FIRST, COUNT, OTHER = 1, 2, 4, 5, 6, 7
"""Groups of every pattern: those of a request, and a line that is none. Groups 0 and 3 are device and process."""
CUT = "cut the file before it, or --keep-going"


class BlockEvents(Reader):
    """Requests of one device, in sectors of 512 bytes. Of the several events of a request one counts: the first of
    `actions` that the beginning of the file has.

    `device` is MAJOR:MINOR; without one there must be requests to one device only.
    """

    actions: ClassVar[tuple[bytes, ...]]
    nothing: ClassVar[tuple[str, str]]  # what is wrong with a file without requests, and the remedy
    device_at: ClassVar[int] = 0  # which group the device is
    task_at: ClassVar[int] = 3

    def __init__(self, device: str = "") -> None:
        if device and not re.fullmatch(r"\d{1,4}:\d{1,7}", device, re.ASCII):
            raise ValueError(f"device={device} is no MAJOR:MINOR; write device=253:0, as lsblk prints it")
        self._device = device.replace(":", ",").encode()

    @classmethod
    @abstractmethod
    def pattern(cls, action: bytes) -> re.Pattern[bytes]:
        """What matches every line: one with this action by all groups but OTHER, any other by that."""

    @classmethod
    @abstractmethod
    def damaged(cls, line: bytes, action: bytes) -> bool:
        """Whether an OTHER line was to be one with this action, or is cut off."""

    @classmethod
    @abstractmethod
    def lost(cls, line: bytes) -> int:
        """How many events an OTHER line says were lost."""

    def read(self, file: Input, facts: Facts) -> Iterator[Batch]:
        """See `Reader.read`."""
        reading = _Reading(self, file, self._device)
        yield from events(reading.requests(facts), file.page_size)
        if reading.found.total():
            return
        if others := reading.others():
            wrong = f"there are no requests of device {_named(self._device)}"
            raise TraceError.at(file.path, "events", wrong, f"those that have some: {', '.join(others)}")
        raise TraceError.at(file.path, "events", *self.nothing)


class _Reading:
    """One file under way."""

    def __init__(self, reader: BlockEvents, file: Input, device: bytes) -> None:
        self._reader, self._file, self._device, self._given = reader, file, device, bool(device)
        self._action = b""
        self._trims = False
        self._skipped: Counter[str] = Counter()
        self.found: Counter[bytes] = Counter()  # requests of the device
        self._others: Counter[bytes] = Counter()

    def requests(self, facts: Facts) -> Iterator[Requests]:
        """Yield the requests of each block of lines. Raises TraceError after those before the place."""
        for number, block in self._file.lines():
            rows, fault = self._rows(block)
            try:
                part = self._part(rows)
            except Fault as found:
                fault = found
                part = self._part(rows[: found.row])
            facts.update(self._facts())
            yield part
            if fault is not None:
                raise TraceError.at(self._file.path, f"line {number + fault.row}", fault.wrong, fault.remedy) from fault

    def others(self) -> list[str]:
        """The devices that are not read, and their requests."""
        return [f"{_named(device)} ({count:,})" for device, count in self._others.most_common(8)]

    def _facts(self) -> Facts:
        told: Facts = {"frees": TRIMMED if self._trims else INFERRED, **+self._skipped}
        told |= {"action": self._action.decode()} if self._action else {}
        told |= {"device": _named(self._device)} if self._device else {}
        return told | ({"other_devices": ", ".join(self.others())} if self._others else {})

    def _rows(self, block: bytes) -> tuple[list[Row], Fault | None]:
        """Of each line its groups, up to one that is damaged."""
        reader, text = self._reader, block.rstrip(b"\n")
        for action in [self._action] if self._action else reader.actions:
            rows = reader.pattern(action).findall(text)
            if any(row[FIRST] and kind_of(row[LETTERS]) is not None for row in rows):
                self._action = action
                break
        for i, row in enumerate(rows):
            if row[OTHER]:
                if reader.damaged(row[OTHER], self._action or reader.actions[0]):
                    line = row[OTHER][:80].decode(errors="replace")
                    return rows[:i], Fault(i, f"{line!r} is no whole event", CUT)
                self._skipped["other_lines"] += 1
                if lost := reader.lost(row[OTHER]):
                    self._skipped["lost_events"] += lost
        return rows, None

    def _part(self, rows: list[Row]) -> Requests:
        """The requests of the device. Raises Fault."""
        kinds = {i: kind_of(row[LETTERS]) for i, row in enumerate(rows) if row[FIRST]}
        lines = [i for i, kind in kinds.items() if kind is not None]
        every = Counter(rows[i][self._reader.device_at] for i in lines)
        if lines and not self._device:
            self._device = rows[lines[0]][self._reader.device_at]
        if len(every) > (self._device in every):
            if not self._given:
                self._refuse(rows, lines, self.found + every)
            lines = [i for i in lines if rows[i][self._reader.device_at] == self._device]
        task = whole("process", lines, [rows[i][self._reader.task_at] for i in lines], np.int32)
        part = _requests(rows, lines, [kinds[i] for i in lines], task)
        self._skipped["other_requests"] += sum(kind is None for kind in kinds.values())
        self._others += Counter({device: count for device, count in every.items() if device != self._device})
        self.found[self._device] += len(lines)
        self._trims |= bool((part.kind == FREE).any())
        return part

    def _refuse(self, rows: list[Row], lines: list[int], every: Counter[bytes]) -> None:
        second = next(i for i in lines if rows[i][self._reader.device_at] != self._device)
        told = ", ".join(f"{_named(device)} ({count:,})" for device, count in every.most_common(8))
        remedy = f"give one of them (--format {self._reader.name}:device={_named(every.most_common(1)[0][0])})"
        raise Fault(second, f"has a request of another device; up to here there are {told}", remedy)


def _requests(rows: list[Row], lines: list[int], kinds: list[int | None], task: npt.NDArray[np.int32]) -> Requests:
    second = whole("time", lines, [rows[i][SECOND] for i in lines], np.uint64)
    check(lines, second > (2**63 - 1) // 10**9 - 1, lambda i: f"time {second[i]} s is out of range")
    fraction = np.array([int(rows[i][FRACTION].ljust(9, b"0")) for i in lines], np.int64)
    sector = whole("sector", lines, [rows[i][FIRST] for i in lines], np.uint64)
    check(lines, sector >= 2**64 // SECTOR, lambda i: f"sector {sector[i]} is out of range")
    count = whole("number of sectors", lines, [rows[i][COUNT] for i in lines], np.uint64)
    check(lines, count >= 2**54, lambda i: f"number of sectors {count[i]} is out of range")
    kind, unit = np.array(kinds, np.uint8), np.uint64(SECTOR)
    time_ns = second.astype(np.int64) * 10**9 + fraction
    return checked(lines, kind, sector * unit, count * unit, time_ns, task)


@cache
def kind_of(letters: bytes) -> int | None:
    """The kind of a request by its letters (`blk_fill_rwbs`); None of one that moves no pages, as to zones (Z)."""
    if b"Z" in letters:
        return None
    return next((kind for letter, kind in ((b"D", FREE), (b"R", IN), (b"W", OUT)) if letter in letters), None)


def _named(device: bytes) -> str:
    return device.decode().replace(",", ":")
