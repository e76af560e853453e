"""Texts of what the block layer does with requests, line by line: what `blkparse` and `trace-events` share."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import ClassVar, NamedTuple

import numpy as np

from workloads.errors import TraceError
from workloads.readers.base import Batch, Facts, Reader
from workloads.readers.input import Input
from workloads.readers.requests import INFERRED, SECTOR, TRIMMED, Paging, Requests, first_too_long
from workloads.traces.events import FREE, IN, OUT

LATEST = (1 << 63) // 10**9 - 1  # seconds whose nanoseconds an event can have
SECTORS = (1 << 64) // SECTOR  # of a device whose bytes can be told by 64 bits
OTHER = -1  # the kind of a request that is neither read, write nor discard


class Line(NamedTuple):
    """What a pattern finds in a line: a request, or in `other` a line that is none. Empty is what the line lacks."""

    device: bytes
    seconds: bytes
    fraction: bytes
    task: bytes
    letters: bytes
    sector: bytes
    sectors: bytes
    other: bytes


TIME = rb"(\d{1,10})\.(\d{1,9})"
RANGE = rb"(?:(\d{1,19}) \+ (\d{1,10}) )?"  # not of a flush, nor of a command that passes through


class BlockEvents(Reader):
    """Events of one device, in sectors of 512 bytes; of each request one event of the several that it makes counts.

    `device` is MAJOR:MINOR; without one there must be requests to one device only.
    """

    actions: ClassVar[tuple[bytes, ...]]  # the events of a request, the one that counts first

    def __init__(self, device: str = "") -> None:
        if device and not re.fullmatch(r"\d{1,4}:\d{1,7}", device):
            raise ValueError(f"device={device} is no MAJOR:MINOR; write device=253:0, as lsblk prints them")
        self._device = device.replace(":", ",").encode()

    @classmethod
    @abstractmethod
    def pattern(cls, action: bytes) -> re.Pattern[bytes]:
        """What matches every line, with the groups of `Line`: requests are those of the action."""

    @classmethod
    def rows(cls, found: list[tuple[bytes, ...]]) -> list[tuple[bytes, ...]]:
        """What a pattern found, its groups in the order of `Line`."""
        return found

    @classmethod
    @abstractmethod
    def damaged(cls, line: bytes, action: bytes) -> bool:
        """Whether a line, which is no request, was to be one, or an event that is cut off."""

    @classmethod
    @abstractmethod
    def lost(cls, line: bytes) -> int:
        """How many events a line says were lost."""

    def read(self, file: Input, facts: Facts) -> Iterator[Batch]:
        """See `Reader.read`."""
        reading = _Reading(self, file, self._device)
        for number, block in file.lines():
            yield from reading.block(number, block)
            facts.update(reading.facts())
        if not reading.devices:
            what = f"of device {self._device.decode().replace(',', ':')} " if self._device else ""
            raise TraceError.at(file.path, "events", f"there are no reads or writes {what}".rstrip(), self.remedy())

    def remedy(self) -> str:
        """What to do about a file without requests."""
        return f"give a file with one of {', '.join(a.decode() for a in self.actions)}"


class _Reading:
    """One file under way."""

    def __init__(self, reader: BlockEvents, file: Input, device: bytes) -> None:
        self._reader, self._file, self._device, self._only = reader, file, device, bool(device)
        self._paging = Paging(file.page_size)
        self._action = b""
        self._skipped: Counter[str] = Counter()
        self._others: Counter[bytes] = Counter()
        self._discards = False
        self.devices: Counter[bytes] = Counter()

    def facts(self) -> Facts:
        found: Facts = {"frees": TRIMMED if self._discards else INFERRED, **self._skipped}
        if self._action:
            found |= {"action": self._action.decode()}
        if self._device:
            found |= {"device": _named(self._device)}
        if self._others:
            found |= {"other_devices": {_named(device): count for device, count in sorted(self._others.items())}}
        return found

    def block(self, number: int, block: bytes) -> Iterator[Batch]:
        """The events of a block of lines, of which the first one has a number."""
        rows = self._rows(block)
        action = self._action or self._reader.actions[0]
        fault: TraceError | None = None
        found: list[int] = []
        for i, row in enumerate(rows):
            if row[0]:
                found.append(i)
            elif row[7]:
                if self._reader.damaged(row[7], action):
                    fault = self._fault(number + i, f"is no whole {action.decode()} event", "cut the file before it")
                    break
                self._skipped["other_lines"] += 1
                if lost := self._reader.lost(row[7]):
                    self._skipped["lost_events"] += lost
        found, kinds = self._counted([(i, kind_of(rows[i][4])) for i in found], rows)
        if self._device and found:
            wrong = next((k for k, i in enumerate(found) if rows[i][0] != self._device), None)
            if wrong is not None:
                counts = ", ".join(f"{_named(device)} ({count:,})" for device, count in self.devices.most_common())
                remedy = f"give --format {self._reader.name}:device={_named(self.devices.most_common(1)[0][0])}"
                fault = self._fault(number + found[wrong], f"there are requests to several devices: {counts}", remedy)
                found, kinds = found[:wrong], kinds[:wrong]
        requests, bad = self._requests([rows[i] for i in found], kinds)
        if bad is not None:
            fault = self._fault(number + found[len(requests)], bad, "cut the file before it")
        self._discards |= bool((requests.kind == FREE).any())
        yield from self._paging.batches(requests)
        if fault is not None:
            raise fault

    def _rows(self, block: bytes) -> list[tuple[bytes, ...]]:
        text = block.rstrip(b"\n")
        if self._action:
            return self._reader.rows(self._reader.pattern(self._action).findall(text))
        for action in self._reader.actions:
            rows = self._reader.rows(self._reader.pattern(action).findall(text))
            if any(row[0] and kind_of(row[4]) != OTHER for row in rows):
                self._action = action
                return rows
        return self._reader.rows(self._reader.pattern(self._reader.actions[0]).findall(text))

    def _counted(self, found: list[tuple[int, int]], rows: list[tuple[bytes, ...]]) -> tuple[list[int], list[int]]:
        """The lines, and their kinds, of reads, writes and discards of the device."""
        moves = [(i, kind) for i, kind in found if kind != OTHER]
        if len(moves) < len(found):
            self._skipped["other_requests"] += len(found) - len(moves)
        every = Counter(rows[i][0] for i, _ in moves)
        if self._only:
            mine = every.pop(self._device, 0)
            if every:
                self._others += every
                moves = [(i, kind) for i, kind in moves if rows[i][0] == self._device]
            every = Counter({self._device: mine} if mine else {})
        elif moves and not self._device:
            self._device = rows[moves[0][0]][0]
        self.devices += every
        return [i for i, _ in moves], [kind for _, kind in moves]

    def _requests(self, rows: list[tuple[bytes, ...]], kinds: list[int]) -> tuple[Requests, str | None]:
        """The requests of lines, up to one that is wrong, and what is wrong with it."""
        _, seconds, fraction, task, _, sector, sectors, _ = zip(*rows, strict=True) if rows else ((),) * 8
        n = len(rows)
        first = np.fromiter((int(text or 0) for text in sector), np.uint64, n)
        length = np.fromiter((int(text or 0) for text in sectors), np.int64, n)
        second = np.fromiter(map(int, seconds), np.int64, n)
        rest = np.fromiter(map(int, fraction), np.int64, n) * 10 ** (9 - np.fromiter(map(len, fraction), np.int64, n))
        kind = np.array(kinds, np.uint8)
        requests = Requests(
            kind,
            first * np.uint64(SECTOR),
            length * SECTOR,
            second * 10**9 + rest,
            np.fromiter(map(int, task), np.int32, n),
        )
        faults = {
            "is of a time that no trace can hold": np.flatnonzero(second > LATEST),
            "ends behind the last sector of any device": np.flatnonzero(first >= SECTORS - length.astype(np.uint64)),
            "is longer than any request (1 GiB)": np.array(
                [i for i in [first_too_long(kind, requests.n_bytes)] if i is not None]
            ),
        }
        wrong = {what: int(where[0]) for what, where in faults.items() if len(where)}
        if not wrong:
            return requests, None
        what = min(wrong, key=lambda what: wrong[what])
        return requests[: wrong[what]], what

    def _fault(self, line: int, wrong: str, remedy: str) -> TraceError:
        return TraceError.at(self._file.path, f"line {line}", wrong, remedy)


@cache
def kind_of(letters: bytes) -> int:
    """The kind of a request by its rwbs letters; requests to zones (Z) are none of a swap device."""
    if b"Z" in letters:
        return OTHER
    return next((kind for letter, kind in ((b"D", FREE), (b"R", IN), (b"W", OUT)) if letter in letters), OTHER)


def _named(device: bytes) -> str:
    return device.decode().replace(",", ":")
