"""Progress bars for long work."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from time import monotonic

from sim.cli.output import say
from sim.interrupts import check
from workloads.shown import shown

PATIENCE_S = 1.0
SHOWN_S = 0.5  # shortest time that a status line is shown


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Give a callback for (done, total) that draws a bar on standard error.

    The bar appears after a second, so that short work draws nothing, and only on a terminal; it is removed at the end.
    """
    check()
    if not sys.stderr.isatty():
        yield lambda done, total: check()
        return

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task(shown(what), total=None)
    begin = monotonic()

    def report(done: int, total: int) -> None:
        check()
        bar.update(task, completed=done, total=total or None)
        if not bar.live.is_started and monotonic() - begin > PATIENCE_S:
            bar.start()

    try:
        yield report
    finally:
        bar.stop()


@contextmanager
def told_once(what: str) -> Iterator[Callable[[int, int], None]]:
    """Give a callback that says once on standard error, terminal or not, what takes longer than a second.

    It may be called by other threads.
    """
    begin, said = monotonic(), False

    def report(done: int, total: int) -> None:
        nonlocal said
        if current_thread() is main_thread():
            check()
        if not said and monotonic() - begin > PATIENCE_S:
            said = True
            say(what)

    yield report


@contextmanager
def status_line() -> Iterator[Callable[[str], None]]:
    """Give a callback for a line of text that replaces the one before; on standard error, if that is a terminal."""
    last = -1.0

    def replace(text: str) -> None:
        nonlocal last
        if sys.stderr.isatty() and monotonic() - last > SHOWN_S:
            print(f"\r\x1b[K{shown(text)}", end="", file=sys.stderr, flush=True)
            last = monotonic()

    try:
        yield replace
    finally:
        if last >= 0:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
