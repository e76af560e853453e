"""The backend `tracefs`: a reader process, and what it sends."""

from __future__ import annotations

import json
import queue
import re
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from workloads.errors import HostError
from workloads.host import tracefs
from workloads.recorder.backend import Target
from workloads.recorder.records import Records
from workloads.recorder.tracefs.wire import receive

MOST_WAITING = 1 << 30  # bytes of contents; then the reader waits, and loses contents
PATIENCE_S = 10.0


class TracefsBackend:
    """See `workloads.recorder.backend`. Contents are read back from the device and may be lost."""

    name: ClassVar[str] = "tracefs"
    sees_frees: ClassVar[bool] = False
    sees_zeros: ClassVar[bool] = False

    @classmethod
    def missing(cls) -> str:
        """What this host lacks."""
        return tracefs.missing()

    def __init__(self, target: Target) -> None:
        self._target = target
        self._held = ExitStack()
        self._batches: queue.SimpleQueue[Records | None] = queue.SimpleQueue()
        self._room = threading.Condition()
        self._waiting = 0  # bytes in _batches
        self._until, self._missed = 0, 0
        self._instance = Path()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        target = self._target
        with ExitStack() as stack:
            self._instance = stack.enter_context(tracefs.instance(target.name))
            arguments = {
                "instance": str(self._instance),
                "device": str(target.device),
                "device_number": target.major << 20 | target.minor,
                "threads": str(target.cgroup / ("tasks" if target.version == 1 else "cgroup.threads")),
                "page_size": target.page_size,
                "n_slots": target.n_slots,
                "ignored": target.ignored,
            }
            words = [sys.executable, "-m", "workloads.recorder.tracefs.reader", json.dumps(arguments)]
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for us to answer
            )
            stack.callback(self._stop)
            threading.Thread(target=self._drain, daemon=True).start()
            try:
                first = self._batches.get(timeout=PATIENCE_S)
            except queue.Empty:
                first = None
            if first is None:
                raise HostError("the reader of tracefs did not start; see its message above")
            self._held = stack.pop_all()
        return self

    def _drain(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while True:
            batch = receive(self._process.stdout, self._target.page_size)
            if batch is None:
                self._batches.put(None)
                return
            records, self._missed = batch
            with self._room:
                self._room.wait_for(lambda: self._waiting < MOST_WAITING)
                self._waiting += records.content.nbytes
            self._batches.put(records)

    def read(self, timeout_s: float) -> Records:
        """Hand over the next batch, or say after `timeout_s` that nothing came. Raises HostError without a reader."""
        try:
            records = self._batches.get(timeout=timeout_s)
        except queue.Empty:
            return Records.none(self._target.page_size, self._until)
        if records is None:
            raise HostError("the reader of tracefs has ended; see its message above; the trace ends there")
        with self._room:
            self._waiting -= records.content.nbytes
            self._room.notify()
        self._until = records.until_ns
        return records

    def dropped(self) -> dict[str, int]:
        """Events that the ring buffer had no room for, by reason."""
        found: dict[str, int] = {}
        for path in self._instance.glob("per_cpu/cpu*/stats"):
            for name, count in re.findall(r"^(overrun|commit overrun|dropped events): (\d+)$", path.read_text(), re.M):
                found[name] = found.get(name, 0) + int(count)
        return {name: count for name, count in found.items() if count}

    def _stop(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        with self._room:
            self._waiting = 0
            self._room.notify()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()
