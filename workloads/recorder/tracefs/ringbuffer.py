"""The kernel's trace ring buffer, decoded page by page from trace_pipe_raw.

Source: include/linux/ring_buffer.h, kernel/trace/ring_buffer.c, events/header_page and the events' format files (6.18).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from workloads.errors import HostError

PADDING, TIME_EXTEND, TIME_STAMP = 29, 30, 31  # types of events that carry no data
HEADER_WORDS = 4  # of a page: time u64, bytes committed u64 with flags
COMMITTED, MISSED = (1 << 20) - 1, 1 << 31
SECTOR = 512
QUEUED_OUT, WRITTEN, QUEUED_IN, FORKED, RECLAIM_BEGINS, RECLAIM_ENDS, OTHER = range(7)
RECLAIMS = ("direct_reclaim", "node_reclaim")  # of anybody's memory, not of one cgroup's


EVENT = np.dtype(
    [
        ("time_ns", np.int64),
        ("slot", np.int64),  # the first of a bio's; of a fork the child's thread id; of a reclaim nothing
        ("pid", np.int32),  # of a fork the parent
        ("pages", np.int32),
        ("what", np.uint8),
    ]
)
Events = npt.NDArray[np.void]  # EVENT[n]


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
    """Decodes a buffer of pages, read one after the other, into events of one device.

    Python walks from event to event, which costs about 0.2 us each; their fields are then gathered all at once.
    """

    def __init__(self, events: Path, page_size: int) -> None:
        """`events` is the folder of that name in the trace instance."""
        queue = read_format(events / "block" / "block_bio_queue" / "format")
        done = read_format(events / "block" / "block_bio_complete" / "format")
        fork = read_format(events / "sched" / "sched_process_fork" / "format")
        self._queue, self._done, self._fork = queue.number, done.number, fork.number
        self._per_slot = page_size // SECTOR
        self._pid, self._sector, self._sectors, self._rwbs = _words(queue, "common_pid", "sector", "nr_sector", "rwbs")
        if _words(done, "common_pid", "sector", "nr_sector") != (self._pid, self._sector, self._sectors):
            raise HostError(f"{events}: the block events differ in form; try --backend bpf")
        self._parent, self._child = _words(fork, "parent_pid", "child_pid")
        self._begins, self._ends = (_numbers(events, part) for part in ("begin", "end"))
        self.missed = 0  # pages that said that events before them were overwritten
        self._times: list[int] = []
        self._places: list[int] = []

    def walk(self, words: memoryview, start: int) -> int:
        """Find the events of the page whose first word is `words[start]`; the time of the last one."""
        times, places = self._times, self._places
        time = words[start] | words[start + 1] << 32
        committed = words[start + 2]
        self.missed += bool(committed & MISSED)
        at = start + HEADER_WORDS
        end = at + (committed & COMMITTED) // 4
        while at < end:
            head = words[at]
            kind, delta = head & 31, head >> 5
            if 0 < kind < PADDING:
                time += delta
                times.append(time)
                places.append(at + 1)
                at += 1 + kind
            elif not kind:  # longer: the next word is the length
                time += delta
                times.append(time)
                places.append(at + 2)
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
                break
        return time

    def events(self, words: npt.NDArray[np.uint32]) -> Events:
        """The fields of all events found since the last call, in the order of time."""
        at = np.array(self._places, np.int64)
        found = np.zeros(len(at), EVENT)
        found["time_ns"] = self._times
        self._times.clear()
        self._places.clear()

        def word(offset: int) -> npt.NDArray[np.uint32]:
            return words[np.minimum(at + offset, len(words) - 1)]  # an event that ends the buffer may be shorter

        number = word(0) & 0xFFFF
        fork = number == self._fork
        sector = word(self._sector) | word(self._sector + 1).astype(np.int64) << 32
        found["slot"] = np.where(fork, word(self._child), sector // self._per_slot)
        found["pid"] = np.where(fork, word(self._parent), word(self._pid))
        found["pages"] = word(self._sectors) // self._per_slot
        letter = word(self._rwbs) & 0xFF
        queued = number == self._queue
        kinds = {
            FORKED: fork,
            WRITTEN: number == self._done,
            QUEUED_OUT: queued & (letter == ord("W")),
            QUEUED_IN: queued & (letter == ord("R")),
            RECLAIM_BEGINS: np.isin(number, self._begins),
            RECLAIM_ENDS: np.isin(number, self._ends),
        }
        found["what"] = np.select(list(kinds.values()), list(kinds), OTHER)
        return found[np.argsort(found["time_ns"], kind="stable")]


def _numbers(events: Path, part: str) -> list[int]:
    """The numbers of the events by which a thread's reclaim of anybody's memory begins, or ends."""
    paths = [events / "vmscan" / f"mm_vmscan_{what}_{part}" / "format" for what in RECLAIMS]
    return [read_format(path).number for path in paths if path.exists()]


def _words(form: Format, *names: str) -> tuple[int, ...]:
    offsets = [form.offsets.get(name, 1) for name in names]
    if any(offset % 4 for offset in offsets):
        raise HostError(f"event {form.number}: a field of {', '.join(names)} is missing; try --backend bpf")
    return tuple(offset // 4 for offset in offsets)
