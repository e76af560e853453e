"""One thing after the other, in another thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

MOST_WAITING = 16


class Background:
    """Runs calls in their order. What one raises is raised by the next `do`, or at the end of the `with` block."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._running: deque[Future[None]] = deque()

    def do(self, call: Callable[[], None]) -> None:
        """Have it done; waits when too much is still to be done."""
        while self._running and (self._running[0].done() or len(self._running) >= MOST_WAITING):
            self._running.popleft().result()
        self._running.append(self._pool.submit(call))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True)
        if kind is None:
            for future in self._running:
                future.result()
