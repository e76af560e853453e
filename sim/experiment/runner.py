"""Running an experiment: size the pages of every trace, replay every combination, collect the rows."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any, TypeVar

from sim.errors import UserError, remark
from sim.experiment.description import Experiment
from sim.experiment.inputs import renamed
from sim.experiment.jobs import Job, Rows, TimedJob
from sim.experiment.machine import TooSmall
from sim.experiment.remarks import remarks
from sim.results.provenance import provenance
from sim.results.result import Result
from sim.workers import worker_killed, worker_pool
from workloads.progress import Progress, silent

if TYPE_CHECKING:
    from sim.compressors.base import Compressor
    from sim.experiment.finished import Finished
    from sim.experiment.inputs import Item
    from sim.plugins import Registry
    from workloads.traces.sizes import Sizes
    from workloads.traces.trace import Trace

    Opened = tuple[Item, Trace]

T = TypeVar("T")
Keep = Callable[[int, Rows, float], None]  # takes what a run gave, by its number, and the seconds that it took
Report = Callable[[str], Progress]  # names a stage, returns its progress callback


# What forked workers inherit: the runs, how many events of each have been done, and by which process.
_jobs: list[Job] = []
_finished: list[Keep] = []
_done: Any = []
_worker: Any = []

POLL_S = 0.2  # how often progress is read
BUSY_S = 1.5
COMPILING = "compiling for this machine, once: later runs find it on disk"
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


def _quiet(stage: str) -> Progress:
    return silent


class Unfinished(UserError):
    """A run was lost with the process that did it; `result` holds those that were finished."""

    def __init__(self, message: str, result: Result) -> None:
        super().__init__(message)
        self.result = result


def run(
    experiment: Experiment,
    *,
    report: Report = _quiet,
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
    from sim.sizing.sizing import cores

    traces, jobs, of_codecs, confirmed = prepare(experiment, report, finished is not None)
    found = finished.find(jobs) if finished else {}
    if finished and finished.saved_s > FOUND_S:
        report(f"{len(found)} of {len(jobs)} {FOUND}")(len(found), len(jobs))
    rest = [i for i in range(len(jobs)) if i not in found]

    def keep(number: int, rows: Rows, seconds: float) -> None:
        if finished:
            finished.keep(rest[number], rows, seconds)

    workers = workers or cores()
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


def prepare(
    experiment: Experiment, report: Report, in_memory: bool = False
) -> tuple[list[Opened], list[Job], Rows, dict[str, Any]]:
    """Open the traces and size their pages; with `in_memory`, sizes and times of generated pages are kept too.

    Gives the traces with their items, all runs, the rows of the codecs' times and sizes, and how many sizes of shipped
    recordings were confirmed, of how many, by trace and codec (`sim.sizing.confirmation`).
    """
    from sim.experiment.inputs import open_inputs
    from sim.plugins import ALLOCATORS, COMPRESSORS, FRONTENDS, make_allocator
    from sim.results.codec_times import codec_times, compressed_sizes, page_outs
    from sim.sizing.confirmation import Sampled
    from sim.sizing.sizing import size_pages
    from workloads.traces.together import together

    points = experiment.memory.points()
    allocators = made(ALLOCATORS, experiment.allocators, page_size=4096, zone=None)
    for allocator in allocators:
        # What is wrong is told before any work is done.
        make_allocator(allocator, zone=points[0].zone())
    frontends = made(FRONTENDS, experiment.frontends)
    codecs = made(COMPRESSORS, experiment.compressors)
    further = {spec: COMPRESSORS.make(spec) for frontend in frontends for spec in frontend.compressors}
    opened = [(item, trace) for item in experiment.traces for trace in open_inputs(item, experiment.page_sizes or ())]
    given = distinct([trace for _, trace in opened])
    traces = [together(given)] if experiment.machine.together and len(given) > 1 else given
    for text in remarks(experiment, traces, frontends, codecs):
        remark(text)
    jobs: list[Job] = []
    rows = Rows()
    confirmed: dict[str, dict[str, list[int]]] = {}
    too_small: list[TooSmall] = []
    for trace in traces:
        machines, small = experiment.machine.of(trace)
        too_small += small
        if not machines:
            continue
        sampled = Sampled.of(trace)
        _ = trace.fullest  # once, not in every worker

        def sized(codec: Compressor, trace: Trace = trace) -> Sizes:
            return size_pages(trace, codec, progress=report(f"{codec.spec} on {trace.name}"), in_memory=in_memory)

        secondary = {spec: sized(codec) for spec, codec in further.items()}
        done, used = set(), page_outs(trace)
        timed = renamed(sampled.sample, trace.name) if sampled else trace
        timed_used = page_outs(timed) if sampled else used
        for codec in codecs:
            sizes = times = sized(codec)
            if sizes.meta["codec"] in done:  # given sizes stand for any codec
                continue
            done.add(sizes.meta["codec"])
            if sampled:
                times, equal = sampled.confirm(sizes, codec, report(f"{codec.spec} on {sampled.sample.name}"))
                confirmed.setdefault(trace.name, {})[codec.spec] = [equal, len(times)]
            rows.latency.extend(codec_times(timed, times, timed_used))
            rows.sizes.extend(compressed_sizes(trace, sizes, used))
            for frontend in frontends:
                other = tuple(secondary[spec] for spec in frontend.compressors)
                for allocator, point, machine in product(allocators, points, machines):
                    if frontend.pools or (codec is codecs[0] and allocator is allocators[0]):
                        shared = machine.size // trace.page_size if machine and machine.shared else 0
                        fitted = frontend.in_ram(shared) if shared else frontend
                        jobs.append(Job(trace, sizes, other, fitted, allocator, point, experiment, machine))
                        jobs.extend(_timed(jobs[-1]))
        jobs.extend(_baseline(jobs, trace))
    if too_small and not jobs:
        raise too_small[0]
    for left_out in too_small:
        remark(f"{left_out}; that size is left out")
    return list(zip((item for item, _ in opened), given, strict=True)), jobs, rows, confirmed


def _baseline(jobs: list[Job], trace: Trace) -> Iterator[Job]:
    """The swap device alone on machines of all sizes of a trace, where that is not among its runs."""
    from sim.plugins import FRONTENDS
    from sim.ram.meter import BASELINE

    first = next(job for job in jobs if job.trace is trace)
    device = FRONTENDS.make(BASELINE)
    own = [job for job in jobs if job.trace is trace and job.frontend.spec == device.spec]
    there = [job.machine.columns() for job in own if job.machine]
    for machine in first.experiment.machine.baseline(trace):
        if machine.columns() not in there:
            job = replace(first, frontend=device, secondary=(), machine=machine, baseline=True)
            yield from (job, *_timed(job))


def made(family: Registry[T], items: Iterable[str | T], **given: Any) -> list[T]:
    """The objects of specs or objects, each spec once. Raises SpecError, UserError if two classes have one name."""
    found: dict[str, Any] = {}
    for item in items:
        new: Any = family.make(item, **given)
        if type(found.setdefault(new.spec, new)) is not type(new):
            raise UserError(f"experiment: two classes of {family.word}s are called {new.name}; rename one")
    return list(found.values())


def _timed(job: Job) -> Iterator[TimedJob]:
    """The same run under each setting; with each assumed price at either end, if that was asked for."""
    from sim.timing.sensitivity import variants

    timing = job.experiment.timing
    given = vars(job)
    for setting, costs, columns in timing.settings(job.memory.seed) if timing else ():
        under: dict[str, Any] = {**given, "setting": setting, "columns": columns}
        yield TimedJob(**under, costs=costs)
        if timing and timing.sensitivity:
            yield from (TimedJob(**under, costs=changed, price=one) for one, changed in variants(costs, setting))


def distinct(traces: list[Trace]) -> list[Trace]:
    """The traces, those whose names are taken as `name 2`, `name 3`: rows are told apart by the name."""
    taken: set[str] = set()
    named = []
    for trace in traces:
        name, number = trace.name, 1
        while name in taken:
            number += 1
            name = f"{trace.name} {number}"
        taken.add(name)
        if number > 1:
            trace = renamed(trace, name)
        named.append(trace)
    return named


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
        with _telling(report(COMPILING)):
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
            compiling = report(COMPILING)
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


def _compile(index: int) -> None:
    _jobs[index].compile()
