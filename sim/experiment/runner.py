"""Running an experiment: every run that was prepared, in this process or in several, and the rows collected."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from sim.errors import UserError
from sim.experiment.description import Experiment
from sim.experiment.jobs import Job, Rows, TimedJob
from sim.experiment.preparation import Report, prepare, quiet
from sim.results.provenance import provenance
from sim.results.result import Result
from sim.workers import processors, worker_killed, worker_pool
from workloads.progress import Progress

if TYPE_CHECKING:
    from sim.experiment.finished import Finished

T = TypeVar("T")
Keep = Callable[[int, Rows, float], None]  # takes what a run gave, by its number, and the seconds that it took


# What forked workers inherit: the runs, how many events of each have been done, and by which process.
_jobs: list[Job] = []
_finished: list[Keep] = []
_done: Any = []
_worker: Any = []

POLL_S = 0.2  # how often progress is read
BUSY_S = 1.5
COMPILING, ONCE = "compiling for this machine", ", once: later runs find it on disk"
FOUND, FOUND_S = "runs found, made earlier", 1.0  # told if it saves so many seconds


def _run_job(index: int) -> Rows:
    def progress(done: int, total: int) -> None:
        _done[index] = done

    _worker[index] = os.getpid()
    begin = time.monotonic()
    rows = _jobs[index].run(progress)
    _finished[-1](index, rows, time.monotonic() - begin)
    _done[index] = _jobs[index].trace.n_events  # also where a run was cut off
    return rows


class Unfinished(UserError):
    """A run was lost with the process that did it; `result` holds those that were finished."""

    def __init__(self, message: str, result: Result) -> None:
        super().__init__(message)
        self.result = result


def run(
    experiment: Experiment,
    *,
    report: Report = quiet,
    workers: int | None = None,
    keep_source: bool = False,
    finished: Finished | None = None,
    mm_stat: bool = False,
) -> Result:
    """Run the whole experiment; with `keep_source` its provenance tells paths and the traces' whole sources, with
    `mm_stat` the result has that frame.

    With `finished`, runs that are kept from an earlier time are not done again, and each run is kept as soon as it is
    finished, whatever happens later; it is the caller who forgets them.

    A KeyboardInterrupt while runs are under way ends it early: the result holds the runs that were finished and says
    so (`complete` in its provenance). Raises Unfinished, which has such a result, when a worker process is killed.
    """
    traces, jobs, of_codecs, confirmed = prepare(experiment, report, finished is not None)
    found = finished.find(jobs) if finished else {}
    if finished and finished.saved_s > FOUND_S:
        report(f"{len(found)} of {len(jobs)} {FOUND}")(len(found), len(jobs))
    rest = [i for i in range(len(jobs)) if i not in found]

    def keep(number: int, rows: Rows, seconds: float) -> None:
        if finished:
            finished.keep(rest[number], rows, seconds)

    workers = workers or processors()
    if len({job.allocator.spec for job in jobs}) == 1 and sum(isinstance(job, TimedJob) for job in jobs) < 2:
        workers = 1  # there is not much to compile or to time
    complete, lost = True, None
    try:
        for number, rows in _results([jobs[i] for i in rest], workers, report, keep) if rest else ():
            found[rest[number]] = rows
    except KeyboardInterrupt:
        complete = False
    except _Lost as error:
        complete, lost = False, error
    if finished and not complete:  # they are many, they are kept, and somebody waits
        for rows in found.values():
            rows.events.clear()
    joined = Rows.joined([of_codecs, *(found[i] for i in sorted(found))])
    if not mm_stat:
        joined.mm_stat.clear()
    about = provenance(experiment, traces, jobs, complete=complete, keep_source=keep_source)
    result = Result.of(joined, about | {"confirmed": confirmed})
    if lost:
        raise Unfinished(worker_killed(str(lost)), result) from lost
    return result


def _results(jobs: list[Job], workers: int, report: Report, keep: Keep) -> Iterator[tuple[int, Rows]]:
    """Results in the order of the jobs, numbered; with one worker, in this process.

    Progress is in events of all jobs. Each run is handed to `keep` by the process that did it.
    """
    global _done, _worker
    timed = sum(isinstance(job, TimedJob) for job in jobs)
    stage = "replay and timing" if timed else "replay"
    total = sum(job.trace.n_events for job in jobs)
    if workers == 1:
        before = 0
        with _telling(report(_compiling())):
            for i in _kinds(jobs):
                jobs[i].compile()
        progress = report(stage)

        def within(done: int, of_run: int) -> None:
            progress(before + done, total)

        for i, job in enumerate(jobs):
            begin = time.monotonic()
            rows = job.run(within)
            keep(i, rows, time.monotonic() - begin)
            yield i, rows
            before += job.trace.n_events
            progress(before, total)
        return
    _jobs[:], _finished[:] = jobs, [keep]
    _done, _worker = multiprocessing.RawArray("q", len(jobs)), multiprocessing.RawArray("q", len(jobs))

    def result(future: Future[T], progress: Progress) -> T:
        """The result of a worker; while there is none, progress is told."""
        while not wait([future], POLL_S).done:
            progress(sum(_done), total)
        return future.result()

    with worker_pool(workers, "compiling") as pool:
        try:
            compiling = report(_compiling())
            # Each kind of kernel is compiled once, by one worker; the others then find it on disk.
            for compiled in [pool.submit(_compile, i) for i in _kinds(jobs)]:
                result(compiled, compiling)
            progress = report(stage)
            children = multiprocessing.active_children()
            futures = deque((i, pool.submit(_run_job, i)) for i in range(len(jobs)))
            try:
                while futures:
                    yield futures[0][0], result(futures[0][1], progress)
                    futures.popleft()
                    progress(sum(_done), total)
            except (KeyboardInterrupt, BrokenProcessPool) as error:  # of those behind it, some are finished
                ended = [(i, f) for i, f in futures if f.done() and not f.cancelled() and not f.exception()]
                yield from ((i, f.result()) for i, f in ended)
                if isinstance(error, BrokenProcessPool):
                    raise _Lost(_lost_run(children)) from error
                raise
        finally:
            _jobs.clear()


class _Lost(Exception):
    """A worker was killed; the message names the run that it was doing."""


def _lost_run(children: list[Any]) -> str:
    """The run of the worker that was killed; the pool has ended the others by SIGTERM."""
    while any(child.exitcode is None for child in children):  # the pool's own thread waits for them too
        time.sleep(POLL_S / 10)
    killed = {child.pid for child in children if child.exitcode not in (0, -signal.SIGTERM)}
    under_way = [job for job, pid in zip(_jobs, _worker, strict=True) if pid in killed]
    return under_way[-1].label() if under_way else "replay"


def _kinds(jobs: list[Job]) -> list[int]:
    """One job of each kind."""
    kinds: dict[tuple[Any, ...], int] = {}
    for i, job in enumerate(jobs):
        kinds.setdefault(job.kind(), i)
    return list(kinds.values())


@contextmanager
def _telling(progress: Progress) -> Iterator[None]:
    """Tell progress, from another thread, when this process itself has been busy for a while."""
    timer = threading.Timer(BUSY_S, progress, (0, 0))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def _compiling() -> str:
    """The stage, with what it is good for if that is so."""
    from allocators.compiled.jit import is_kept

    return COMPILING + (ONCE if is_kept() else "")


def _compile(index: int) -> None:
    _jobs[index].compile()
