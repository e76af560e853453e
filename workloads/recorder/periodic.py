"""Something done again and again, beside what else is done."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self


class Periodic:
    """Calls something every `seconds` in a thread of its own, from the beginning of the `with` block to its end.

    A call that the kernel refuses (OSError) is left out. `cpu_ns` is the CPU time that all calls took, once it is over.
    """

    def __init__(self, seconds: float, call: Callable[[], None]) -> None:
        self._seconds, self._call = seconds, call
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.cpu_ns = 0

    def _run(self) -> None:
        while not self._over.wait(self._seconds):
            with suppress(OSError):
                self._call()
        self.cpu_ns = time.thread_time_ns()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
