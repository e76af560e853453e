"""Worker processes that end with the one that started them, and whose death is reported in one line."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from sim.errors import UserError
from workloads.host.processes import die_with_parent


@contextmanager
def worker_pool(workers: int, work: str) -> Iterator[ProcessPoolExecutor]:
    """Forked processes, which start with everything loaded; killed with this one, however it ends.

    Raises UserError naming the `work` when one of them is killed.
    """
    context = multiprocessing.get_context("fork")
    try:
        with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(os.getpid(),)) as pool:
            yield pool
    except BrokenProcessPool as error:
        raise UserError(worker_killed(work)) from error


def worker_killed(work: str) -> str:
    """The message for a killed worker: usually the kernel's OOM killer ended it."""
    return f"{work}: a worker process was killed, probably for want of memory; free some, or run fewer at once"


def _begin(parent: int) -> None:
    die_with_parent()
    if os.getppid() != parent:  # it died before that
        os._exit(1)
