"""A thread that empties the ring and the pool while the recorder writes: the pool alone lasts a sixth of a second."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workloads.recorder.bpf import ring
from workloads.recorder.bpf.programs import Programs

POLL_S = 0.002  # the programs wake nobody
MOST_PAGES = 1 << 18  # waiting for the recorder; beyond that contents are lost rather than memory


@dataclass(frozen=True, eq=False)
class Batch:
    """`events` EVENT[n]; `content` uint8[m, PAGE], of the m events that are OUT; all events up to `now_ns` if
    `complete`.
    """

    events: npt.NDArray[np.void]
    content: npt.NDArray[np.uint8]
    now_ns: int
    complete: bool


class Drain:
    """Runs from construction to `stop`."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs
        self._batches: deque[Batch] = deque()
        self._waiting = 0  # pages in _batches
        self._come = threading.Condition()
        self._error: BaseException | None = None
        self._ends = False
        self._thread = threading.Thread(target=self._run, name="bpf-drain", daemon=True)
        self._thread.start()

    def take(self, timeout_s: float) -> list[Batch]:
        """Return all batches, the last of which says how far time has come; wait for one with events at most so long.

        At least one batch comes. Raises what went wrong in the thread.
        """
        end = time.monotonic() + timeout_s
        with self._come:
            while not self._error:
                left = end - time.monotonic()
                if self._batches and (left <= 0 or any(len(batch.events) for batch in self._batches)):
                    break
                self._come.wait(max(left, POLL_S))
            if self._error:
                raise self._error
            batches = list(self._batches)
            self._batches.clear()
            self._waiting = 0
        return batches

    def stop(self) -> None:
        """End the thread."""
        self._ends = True
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._ends:
                if self._waiting < MOST_PAGES:
                    self._add(self._batch())
                time.sleep(POLL_S)
        except BaseException as error:  # raised where the recorder sees it
            with self._come:
                self._error = error
                self._come.notify()

    def _batch(self) -> Batch:
        self._programs.sweep()
        now = time.monotonic_ns()
        events, complete = self._programs.ring.take()
        content = self._programs.pool.copies(events["taken"][events["kind"] == ring.OUT])
        taken = events["taken"][np.isin(events["kind"], (ring.OUT, ring.LOST))]
        if len(taken):
            self._programs.control.returned = int(taken[-1]) + 1
        return Batch(events, content, now, complete)

    def _add(self, batch: Batch) -> None:
        with self._come:
            if self._batches and not len(self._batches[-1].events):
                self._batches.pop()  # said only how late it was
            self._batches.append(batch)
            self._waiting += len(batch.content)
            self._come.notify()
