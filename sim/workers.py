"""Worker processes that end with the one that started them, and whose death is reported in one line."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from sim.errors import UserError
from workloads.host.processes import die_with_parent

_one_of_several: set[int] = set()


@contextmanager
def worker_pool(workers: int, work: str) -> Iterator[ProcessPoolExecutor]:
    """Forked processes, which start with everything loaded; killed with this one, however it ends.

    They get no SIGINT: the terminal sends it to all, and this one decides. Whatever is raised inside, Ctrl-C or an
    error, ends them at once, in the middle of what they do. Raises UserError naming the `work` when one is killed.
    """
    before = set(multiprocessing.active_children())
    pool = _Pool(workers, mp_context=multiprocessing.get_context("fork"), initializer=_begin, initargs=(os.getpid(),))
    ended = False
    try:
        yield pool
        ended = True
    except BrokenProcessPool as error:
        ended = True
        raise UserError(worker_killed(work)) from error
    finally:
        if not ended:
            for child in set(multiprocessing.active_children()) - before:
                child.kill()
        # Of killed ones nothing is waited for: what one was about to send never comes.
        pool.shutdown(wait=ended, cancel_futures=True)


class _Pool(ProcessPoolExecutor):
    """Processes that are forked with SIGINT blocked."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        """See `ProcessPoolExecutor`: it forks when something is submitted."""
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return super().submit(fn, *args, **kwargs)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def worker_killed(work: str) -> str:
    """The message for a killed worker: usually the kernel's OOM killer ended it."""
    return f"{work}: a worker process was killed, probably for want of memory; free some, or run fewer at once"


def one_of_several() -> None:
    """Note that this process is one of several that share the processors."""
    _one_of_several.add(os.getpid())


def processors() -> int:
    """Processors that this process may use: all it may run on, or one, if others like it are at work too."""
    return 1 if os.getpid() in _one_of_several else len(os.sched_getaffinity(0))


def _begin(parent: int) -> None:
    one_of_several()
    die_with_parent()
    if os.getppid() != parent:  # it died before that
        os._exit(1)
