"""The kernel's trace ring buffer, decoded page by page from trace_pipe_raw.

Source: include/linux/ring_buffer.h, kernel/trace/ring_buffer.c, events/header_page and the events' format files (6.18).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from workloads.errors import HostError

PADDING, TIME_EXTEND, TIME_STAMP = 29, 30, 31  # types of events that carry no data
HEADER_WORDS = 4  # of a page: time u64, bytes committed u64 with flags
COMMITTED, MISSED = (1 << 20) - 1, 1 << 31
SECTOR = 512
QUEUED_OUT, WRITTEN, QUEUED_IN, FORKED = 0, 1, 2, 3


class Event(NamedTuple):
    """One event. `slot` and `pages` of a bio; of a fork `pid` is the parent and `slot` the child's thread id."""

    time_ns: int
    what: int
    pid: int
    slot: int
    pages: int


class Format(NamedTuple):
    """Where the fields of an event lie, in bytes."""

    number: int
    offsets: dict[str, int]


def read_format(path: Path) -> Format:
    """Read a file `events/SYSTEM/EVENT/format`."""
    text = path.read_text()
    number = re.search(r"^ID: (\d+)$", text, re.MULTILINE)
    fields = re.findall(r"^\tfield:.*?(\w+)(?:\[\w*\])?;\toffset:(\d+);", text, re.MULTILINE)
    if number is None or not fields:
        raise HostError(f"{path}: is in a form that this release does not know; try --backend bpf")
    return Format(int(number[1]), {name: int(offset) for name, offset in fields})


class Decoder:
    """Decodes pages of one host's ring buffer into events of one device."""

    def __init__(self, events: Path, page_size: int) -> None:
        """`events` is the folder of that name in the trace instance."""
        queue = read_format(events / "block" / "block_bio_queue" / "format")
        done = read_format(events / "block" / "block_bio_complete" / "format")
        fork = read_format(events / "sched" / "sched_process_fork" / "format")
        self._queue, self._done, self._fork = queue.number, done.number, fork.number
        self._per_slot = page_size // SECTOR
        self._at = _words(queue, "common_pid", "sector", "nr_sector", "rwbs")
        if _words(done, "common_pid", "sector", "nr_sector") != self._at[:3]:
            raise HostError(f"{events}: the block events differ in form; try --backend bpf")
        self._parent, self._child = _words(fork, "parent_pid", "child_pid")
        self.missed = 0  # pages that said that events before them were overwritten

    def decode(self, page: memoryview, into: list[Event]) -> None:
        """Append the events of a page, in their order."""
        words = page.cast("I")
        time = words[0] | words[1] << 32
        committed = words[2]
        self.missed += bool(committed & MISSED)
        at, end = HEADER_WORDS, HEADER_WORDS + (committed & COMMITTED) // 4
        while at < end:
            head = words[at]
            kind, delta = head & 31, head >> 5
            if kind < PADDING:
                time += delta
                if kind:
                    self._event(words, at + 1, time, into)
                    at += 1 + kind
                else:
                    self._event(words, at + 2, time, into)
                    at += 1 + words[at + 1] // 4
            elif kind == TIME_EXTEND:
                time += delta + (words[at + 1] << 27)
                at += 2
            elif kind == TIME_STAMP:  # 59 bits; the others are as they were
                time = (time >> 59 << 59) | delta + (words[at + 1] << 27)
                at += 2
            elif delta:  # an event that was discarded
                time += delta
                at += 1 + words[at + 1] // 4
            else:  # the rest of the page is empty
                return

    def _event(self, words: memoryview, at: int, time: int, into: list[Event]) -> None:
        number = words[at] & 0xFFFF
        if number == self._fork:
            into.append(Event(time, FORKED, words[at + self._parent], words[at + self._child], 0))
            return
        pid, sector, count, rwbs = self._at
        if number == self._queue:
            letter = words[at + rwbs] & 0xFF
            if letter == 87:  # W
                what = QUEUED_OUT
            elif letter == 82:  # R
                what = QUEUED_IN
            else:
                return
        elif number == self._done:
            what = WRITTEN
        else:
            return
        slot = (words[at + sector] | words[at + sector + 1] << 32) // self._per_slot
        into.append(Event(time, what, words[at + pid], slot, words[at + count] // self._per_slot))


def _words(form: Format, *names: str) -> tuple[int, ...]:
    offsets = [form.offsets.get(name, 1) for name in names]
    if any(offset % 4 for offset in offsets):
        raise HostError(f"event {form.number}: a field of {', '.join(names)} is missing; try --backend bpf")
    return tuple(offset // 4 for offset in offsets)
