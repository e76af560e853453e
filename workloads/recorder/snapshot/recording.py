"""A recording by snapshots, from the start of the command to the finished trace."""

from __future__ import annotations

import mmap
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from workloads.errors import HostError
from workloads.host.counters import kernel
from workloads.host.signals import Pending, deferred
from workloads.progress import Progress
from workloads.recorder.background import Background
from workloads.recorder.plan import Status, Watch
from workloads.recorder.privacy import private
from workloads.recorder.program import Program, invoking_user
from workloads.recorder.rows import Epoch
from workloads.recorder.segments import Segments
from workloads.recorder.snapshot.camera import Camera, task_of
from workloads.recorder.snapshot.family import Family
from workloads.recorder.snapshot.policy import Observed, Reclaim
from workloads.traces.events import FREE, IN, OUT, Events

PAGE = mmap.PAGESIZE
CHUNK = 1024  # pages that go out in one go
LOOK_S = 0.02  # between two looks whether the command has ended


@dataclass(frozen=True)
class SnapshotPlan:
    """`command` is looked at every `interval_s` seconds, as if it had `limit` bytes of memory; recorded into `out`."""

    command: tuple[str, ...]
    out: Path
    limit: int
    interval_s: float
    duration_s: float | None = None


def record_snapshots(plan: SnapshotPlan, watch: Watch | None = None, progress: Progress | None = None) -> int:
    """Record into `plan.out`; the exit status of the command (0 if the recording ended first).

    `watch` is called after each snapshot, `progress` while the trace is put together. SIGINT, SIGTERM and SIGHUP end
    the recording: the trace is complete up to then, and the signal takes effect afterwards. Raises HostError when no
    process could be looked at, TraceError when the trace cannot be written.
    """
    with private() as umask, deferred() as pending:
        return SnapshotSession(plan, umask, pending).run(watch or (lambda status: None), progress)


class SnapshotSession:
    """One recording."""

    def __init__(self, plan: SnapshotPlan, umask: int, pending: Pending) -> None:
        self._plan, self._umask, self._pending = plan, umask, pending
        self._user = invoking_user()
        self._pages = 0  # page-outs
        self._took: list[float] = []  # seconds, of each snapshot
        self._most = 0  # pages in a snapshot
        self._source: dict[str, Any] = {
            "kind": "recording",
            "reclaim": "simulated",
            "command": list(plan.command),
            "limit": plan.limit,
            "interval": plan.interval_s,
            "backend": "snapshot",
            "kernel": kernel(),
            "began": datetime.now(UTC).isoformat(timespec="seconds"),
        }

    def run(self, watch: Watch, progress: Progress | None) -> int:
        """Record, and put the trace together."""
        segments = Segments(self._plan.out, PAGE, self._source, self._user)
        with segments.kept():
            status = self._record(segments, watch)
            segments.finish(self._source, progress)
        return status

    def _record(self, segments: Segments, watch: Watch) -> int:
        plan = self._plan
        with ExitStack() as stack:
            family = Family()
            program = Program(plan.command, self._user, self._umask)
            stack.callback(program.reap)
            stack.callback(family.kill)
            stack.callback(program.end)
            camera, reclaim = Camera(family, PAGE), Reclaim(plan.limit // PAGE)
            program.begin()
            began = time.monotonic()
            with Background() as writing:
                while True:
                    ended = self._ended(program, began)
                    seconds = time.monotonic() - began
                    for epoch in self._snapshot(camera, reclaim, int(seconds * 1e9)):
                        writing.do(partial(segments.add, epoch))
                    watch(Status(seconds, segments.events, self._pages, 0, segments.written))
                    if ended:
                        break
                    self._wait(program, began, began + seconds + plan.interval_s)
            self._conclude(ended, camera, time.monotonic() - began)
            status = program.status()
        return 0 if status is None else status

    def _ended(self, program: Program, began: float) -> str:
        status = program.status()
        if status is not None:
            return f"command ended with status {status}"
        if self._pending.number is not None:
            return f"signal {self._pending.number}"
        if self._plan.duration_s is not None and time.monotonic() - began >= self._plan.duration_s:
            return "duration"
        return ""

    def _wait(self, program: Program, began: float, until: float) -> None:
        while (left := until - time.monotonic()) > 0 and not self._ended(program, began):
            time.sleep(min(left, LOOK_S))

    def _snapshot(self, camera: Camera, reclaim: Reclaim, time_ns: int) -> Iterator[Epoch]:
        start = time.monotonic()
        keys, digests = camera.snapshot()
        self._most = max(self._most, len(keys))
        seen = reclaim.observe(keys, digests)
        self._took.append(time.monotonic() - start)
        yield _returns(seen, time_ns)
        for at in range(0, len(seen.victims), CHUNK):
            keys = seen.victims[at : at + CHUNK]
            content, digests, good = camera.contents(keys)
            keys, content = keys[good], content[good]
            slots = reclaim.page_out(keys, digests[good])
            n = len(keys)
            self._pages += n
            events = Events.of(np.full(n, OUT), slots, np.arange(n), np.full(n, time_ns), task_of(keys))
            yield Epoch(events, content)

    def _conclude(self, ended: str, camera: Camera, seconds: float) -> None:
        if camera.unreadable and not camera.readable:
            raise HostError(
                "no process of the command could be read: it runs as another user, or "
                "/proc/sys/kernel/yama/ptrace_scope is above 1; record as root, with `cswap record` alone"
            )
        self._source |= {
            "ended": ended,
            "seconds": round(seconds, 3),
            "snapshots": len(self._took),
            "peak": self._most * PAGE,
            "snapshot_seconds": {"mean": round(float(np.mean(self._took)), 4), "max": round(max(self._took), 4)},
            "processes": len(camera.readable),
            "unreadable": len(camera.unreadable),
        }


def _returns(seen: Observed, time_ns: int) -> Epoch:
    """What a snapshot frees, and what it reads and frees."""
    freed, read = len(seen.freed), len(seen.read)
    kind = np.concatenate([np.full(freed, FREE), np.tile([IN, FREE], read)])
    slot = np.concatenate([seen.freed, np.repeat(seen.read, 2)])
    task = np.concatenate([task_of(seen.gone), np.repeat(task_of(seen.changed), 2)])
    n = len(kind)
    events = Events.of(kind, slot, np.full(n, -1), np.full(n, time_ns), task)
    return Epoch(events, np.empty((0, PAGE), np.uint8))
