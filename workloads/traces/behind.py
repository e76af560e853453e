"""Work done behind its caller's back: in one thread, one piece at a time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class Behind:
    """Performs what it is given, in order, while the caller goes on; what needs no GIL takes another core."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, name)
        self._last: Future[Any] | None = None

    def do(self, work: Callable[..., Any], *given: Any) -> None:
        """Begin it; waits for the one before it, so that never more than one is held, and raises what that raised."""
        self.wait()
        self._last = self._thread.submit(work, *given)

    def wait(self) -> None:
        """Wait for what is under way. Raises what that raised."""
        last, self._last = self._last, None
        if last is not None:
            last.result()

    def close(self) -> None:
        """End the thread, after what is under way."""
        self._thread.shutdown(wait=True, cancel_futures=True)
