"""A progress bar for work that turns out to be long."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

PATIENCE_S = 1.0


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Give a callback for (done, total) that draws a bar on standard error.

    The bar appears after a second, so that short work draws nothing, and only on a terminal; it is removed at the end.
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
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
    task = bar.add_task(what, total=None)
    begin = monotonic()

    def report(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total or None)
        if not bar.live.is_started and monotonic() - begin > PATIENCE_S:
            bar.start()

    try:
        yield report
    finally:
        bar.stop()
