"""Signals that wait until what must be undone is undone."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Pending:
    """The signal that came first, if any."""

    number: int | None = None

    def check(self) -> None:
        """Raise KeyboardInterrupt if a signal waits."""
        if self.number is not None:
            raise KeyboardInterrupt


@contextmanager
def deferred() -> Iterator[Pending]:
    """Note SIGINT, SIGTERM and SIGHUP instead of obeying them; the first is delivered at the end. What is ignored
    already, as under nohup, stays so.

    The work inside asks `check` wherever it may stop. Other threads than the main one get no signals: nothing is done.
    """
    pending = Pending()

    def note(number: int, frame: FrameType | None) -> None:
        pending.number = pending.number or number

    if threading.current_thread() is not threading.main_thread():
        yield pending
        return
    obeyed = [number for number in STOPPING if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, note) for number in obeyed}
    try:
        yield pending
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if pending.number is not None:
            signal.raise_signal(pending.number)
