"""Cells handed to an executor and taken back as they end; by default to processes of this machine."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from typing import TYPE_CHECKING

from sim.errors import UserError, one_line
from sim.experiment.finished import sources
from sim.sweep.work import Done, OtherVersion, do
from sim.workers import worker_killed, worker_pool

if TYPE_CHECKING:
    from sim.sweep.cells import Cell

    Ended = Iterator[tuple[Cell, Done]]

POLL_S = 0.2  # how often the caller is asked whether to go on
AHEAD = 2  # cells a worker that are handed over at once
MANY = 1000  # to an executor of which nobody knows how many workers it has

Check = Callable[[], None]


def by_processes(cells: Sequence[Cell], workers: int, check: Check) -> Ended:
    """By so many processes of this machine. One that is killed costs the cells that were handed over: each is tried
    once more, alone, and the one that has its process killed again failed.
    """
    waiting: deque[Cell] = deque(cells)
    suspects: deque[Cell] = deque()
    while waiting or suspects:
        alone = bool(suspects)
        with worker_pool(1 if alone else workers, "sweep") as pool:
            now = deque([suspects.popleft()]) if alone else waiting
            under_way = yield from _ended(pool, now, AHEAD * workers, check)
        if alone:
            yield from ((cell, Done(error=worker_killed(cell.label()))) for cell in under_way)
        else:
            suspects.extend(under_way)


def by_executor(cells: Sequence[Cell], executor: Executor, check: Check) -> Ended:
    """By any executor. Raises UserError if it ends before all is done."""
    if (yield from _ended(executor, deque(cells), MANY, check)):
        raise UserError("sweep: the executor is gone, or its scheduler; start it again: what was done is kept")


def _ended(
    executor: Executor, waiting: deque[Cell], ahead: int, check: Check
) -> Generator[tuple[Cell, Done], None, list[Cell]]:
    """Each cell as it ends, until all have or the executor is broken; returns those that were under way then."""
    futures: dict[Future[Done], Cell] = {}
    try:
        while waiting or futures:
            while waiting and len(futures) < ahead:
                try:
                    futures[executor.submit(do, waiting[0], sources())] = waiting[0]
                except BrokenExecutor:
                    break
                waiting.popleft()
            ended = wait(futures, POLL_S, FIRST_COMPLETED).done
            check()
            lost = []
            for future in sorted(ended, key=[*futures].index):
                cell = futures.pop(future)
                try:
                    done = future.result()
                except (BrokenExecutor, CancelledError):
                    lost.append(cell)
                    continue
                except (OtherVersion, KeyboardInterrupt):
                    raise
                except Exception as error:
                    # Dask's, which need not be installed, when workers are killed at the same cell again and again
                    killed = type(error).__name__ == "KilledWorker"
                    done = Done(error=worker_killed(cell.label()) if killed else one_line(error))
                yield cell, done
            if lost:
                wait(futures)
                return lost + [*futures.values()]
        return []
    finally:
        for future in futures:
            future.cancel()
