"""The process that reads events and contents: `python -m workloads.recorder.tracefs.reader ARGUMENTS`.

It writes batches (`wire`) to its standard output and ends when its standard input does, or when its parent dies.
"""

from __future__ import annotations

import json
import mmap
import os
import select
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from workloads.errors import HostError
from workloads.host.counters import vmstat
from workloads.host.direct import SlotReader
from workloads.host.processes import die_with_parent
from workloads.recorder.tracefs.catcher import Catcher
from workloads.recorder.tracefs.ringbuffer import RECLAIMS, Decoder, Events
from workloads.recorder.tracefs.wire import send

PAUSE_S = 0.0003  # between two looks at the buffers
SETTLED_NS = 2_000_000  # an event that was begun so long ago is in the buffer
SILENCE_NS = 20_000_000  # after which the time is reported although nothing happened
SUB_BUFFER = mmap.PAGESIZE  # of the ring buffer
ROUND = 64  # pages of it between two readings of contents
PRIORITY = 1  # of the round-robin kind: before everything that is not real-time, nice or not


class Reader:
    """Reads the buffers of all CPUs and the device."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        instance, page_size = Path(arguments["instance"]), int(arguments["page_size"])
        _enable(instance, arguments["device_number"], [*arguments["ignored"], os.getpid()])
        self._decoder = Decoder(instance / "events", page_size)
        self._slots = SlotReader(Path(arguments["device"]), page_size)
        self._threads = Path(arguments["threads"])
        self._catcher = Catcher(
            self._slots.read,
            int(arguments["n_slots"]),
            page_size,
            self._program_threads(),
            "swpout_zero" in vmstat(),
        )
        self._buffers = [
            os.open(path / "trace_pipe_raw", os.O_RDONLY | os.O_NONBLOCK)
            for path in sorted((instance / "per_cpu").glob("cpu*"))
        ]
        self._budget = max(4, ROUND // len(self._buffers))
        n = self._budget * len(self._buffers)
        self._pages = bytearray(n * SUB_BUFFER)
        self._places = [memoryview(self._pages)[i * SUB_BUFFER : (i + 1) * SUB_BUFFER] for i in range(n)]
        self._words = memoryview(self._pages).cast("I")
        self._columns = np.frombuffer(self._pages, np.uint32)

    def _program_threads(self) -> list[int]:
        return [int(word) for word in self._threads.read_text().split()]

    def run(self) -> None:
        """Read until standard input ends."""
        told, missed = 0, 0
        ending = select.poll()
        ending.register(sys.stdin.fileno(), select.POLLIN | select.POLLHUP)
        send(self._catcher.release(0), 0, sys.stdout.buffer)  # ready
        while not ending.poll(0):
            now = time.monotonic_ns()
            events, until = self._events(now - SETTLED_NS)
            if self._decoder.missed > missed:
                self._catcher.doubt(self._program_threads())
                missed = self._decoder.missed
            self._catcher.take(events)
            self._catcher.catch()
            records = self._catcher.release(until)
            if len(records) or now - told > SILENCE_NS:
                send(records, missed, sys.stdout.buffer)
                told = now
            if not len(events):
                time.sleep(PAUSE_S)

    def _events(self, until_ns: int) -> tuple[Events, int]:
        """What the buffers hold, or as much of it as fits into a round; the time up to which that is all there is."""
        read = 0
        for buffer in self._buffers:
            end, last = read + self._budget, until_ns
            try:
                while read < end and os.readv(buffer, [self._places[read]]):
                    last = self._decoder.walk(self._words, read * SUB_BUFFER // 4)
                    read += 1
                until_ns = min(until_ns, last)  # there may be more
            except BlockingIOError:
                pass
        return self._decoder.events(self._columns), until_ns


def _enable(instance: Path, device_number: int, ignored: list[int]) -> None:
    """Let the instance trace writes to the device, whoever's, reads of it but our own, forks, and reclaim."""
    others = " && ".join(f"common_pid != {pid}" for pid in ignored)
    events = instance / "events"
    (instance / "trace_clock").write_text("mono")
    (instance / "buffer_size_kb").write_text("16384")
    writes = 'rwbs ~ "W*"'  # even we may have to write others' pages out, when memory is short
    (events / "block" / "block_bio_queue" / "filter").write_text(f"dev == {device_number} && ({writes} || ({others}))")
    (events / "block" / "block_bio_complete" / "filter").write_text(f"dev == {device_number} && {writes}")
    for name in ("sched/sched_process_fork", "block/block_bio_queue", "block/block_bio_complete"):
        (events / name / "enable").write_text("1")
    for reclaim in RECLAIMS:
        for place in (events / "vmscan").glob(f"mm_vmscan_{reclaim}_*"):
            (place / "enable").write_text("1")
    (instance / "tracing_on").write_text("1")


def main() -> None:
    """Run with the arguments in argv, a JSON object: see `backend`."""
    die_with_parent()
    with suppress(PermissionError):  # where real time is not to be had, some contents more are lost
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
    try:
        with suppress(BrokenPipeError, KeyboardInterrupt):
            Reader(json.loads(sys.argv[1])).run()
    except (HostError, OSError) as error:
        sys.exit(f"cswap: {error}")


if __name__ == "__main__":
    main()
