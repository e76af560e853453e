"""Running an experiment: size the pages of every trace, replay every combination, collect the rows."""

from __future__ import annotations

import copy
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.experiment import Experiment
from sim.provenance import provenance
from sim.results import Result
from workloads.progress import Progress, silent

if TYPE_CHECKING:
    from sim.compressors.base import Compressor
    from sim.frontends.base import Frontend
    from workloads.sizes import Sizes
    from workloads.trace import Trace

Report = Callable[[str], Progress]  # names a stage, returns its progress callback


class Rows(NamedTuple):
    """What a run adds to the frames of a result."""

    density: dict[str, Any]
    timeline: list[dict[str, Any]]
    counters: list[dict[str, Any]]


@dataclass(frozen=True)
class Job:
    """One run."""

    trace: Trace
    sizes: Sizes
    secondary: tuple[Sizes, ...]  # by the frontend's own codecs
    frontend: Frontend
    allocator: str
    experiment: Experiment

    def run(self) -> Rows:
        """Replay."""
        from sim.density import DensityMeter
        from sim.replay.replay import replay
        from sim.spec import make_allocator

        zone = self.experiment.zone() if self.experiment.zone_pages else None
        allocator = make_allocator(self.allocator, self.trace.page_size, zone)
        meter = DensityMeter(self.trace.n_events, self.trace.page_size)
        running = replay(self.trace, self.sizes, self.frontend, allocator, secondary=self.secondary)
        for events, outcome in running:
            meter.add(events, outcome)
        key = {
            "trace": self.trace.name,
            "frontend": self.frontend.spec,
            "compressor": self.sizes.meta["codec"],
            "allocator": allocator.spec,
        }
        counters = [key | {"counter": name, "value": value} for name, value in running.counters().items()]
        return Rows(key | meter.row(), [key | row for row in meter.timeline()], counters)


_jobs: list[Job] = []  # what forked workers inherit


def _run_job(index: int) -> Rows:
    return _jobs[index].run()


def _quiet(stage: str) -> Progress:
    return silent


def run(experiment: Experiment, *, report: Report = _quiet, workers: int | None = None) -> Result:
    """Run the whole experiment.

    A KeyboardInterrupt while runs are under way ends it early: the result holds the runs that were finished and says
    so (`complete` in its provenance).
    """
    from sim.sizing import cores

    traces, jobs, costs = prepare(experiment, report)
    finished: list[Rows] = []
    complete = True
    progress = report("replay")
    try:
        for rows in _results(jobs, workers or cores()):
            finished.append(rows)
            progress(len(finished), len(jobs))
    except KeyboardInterrupt:
        complete = False
    about = provenance(experiment, traces, jobs, complete=complete)
    return Result.of(
        [rows.density for rows in finished],
        [row for rows in finished for row in rows.timeline],
        costs,
        [row for rows in finished for row in rows.counters],
        about,
    )


def prepare(experiment: Experiment, report: Report) -> tuple[list[Trace], list[Job], list[dict[str, Any]]]:
    """Open the traces and size their pages: the traces, all runs, and the rows of the codecs' costs."""
    from sim.codec_times import codec_times
    from sim.compressors.registry import compressor
    from sim.frontends.registry import make_frontend
    from sim.inputs import open_input
    from sim.sizing import size_pages
    from sim.spec import make_allocator

    for spec in experiment.allocators:
        # A wrong spec is told before any work is done.
        make_allocator(spec, zone=experiment.zone() if experiment.zone_pages else None)
    frontends = [make_frontend(spec) for spec in experiment.frontends]
    codecs = [compressor(spec) for spec in experiment.compressors]
    further = {spec: compressor(spec) for frontend in frontends for spec in frontend.codecs}
    traces = distinct([open_input(trace) if isinstance(trace, str) else trace for trace in experiment.traces])
    jobs: list[Job] = []
    costs: list[dict[str, Any]] = []
    for trace in traces:

        def sized(codec: Compressor, trace: Trace = trace) -> Sizes:
            return size_pages(trace, codec, progress=report(f"{codec.spec} on {trace.name}"))

        secondary = {spec: sized(codec) for spec, codec in further.items()}
        done = set()
        for codec in codecs:
            sizes = sized(codec)
            if sizes.meta["codec"] in done:  # given sizes stand for any codec
                continue
            done.add(sizes.meta["codec"])
            costs.extend(codec_times(trace, sizes))
            jobs.extend(
                Job(trace, sizes, tuple(secondary[spec] for spec in frontend.codecs), frontend, allocator, experiment)
                for frontend in frontends
                for allocator in experiment.allocators
            )
    return traces, jobs, costs


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
            trace = copy.copy(trace)
            trace.header = replace(trace.header, name=name)
        named.append(trace)
    return named


def _results(jobs: list[Job], workers: int) -> Iterator[Rows]:
    """Results in the order of the jobs; several processes where there are several allocators to compile."""
    if workers == 1 or len({job.allocator for job in jobs}) == 1:
        for job in jobs:
            yield job.run()
        return
    _jobs[:] = jobs
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork")) as pool:
        try:
            # Each kind of kernel is compiled once, by one worker; the others then find it on disk.
            list(pool.map(_compile, _kinds(jobs)))
            for future in [pool.submit(_run_job, i) for i in range(len(jobs))]:
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            _jobs.clear()


def _kinds(jobs: list[Job]) -> list[int]:
    """One job for each pair of types that the replay is compiled for, and one that is kept up besides."""
    from sim.spec import make_allocator

    kinds: dict[tuple[type, type, bool], int] = {}
    for i, job in enumerate(jobs):
        allocator = make_allocator(job.allocator)
        device = job.frontend.device(1, allocator)
        kind = type(device), type(getattr(allocator, "state", allocator)), job.frontend.period > 0
        kinds.setdefault(kind, i)
    return list(kinds.values())


def _compile(index: int) -> None:
    from sim.replay.replay import compile_for
    from sim.spec import make_allocator

    job = _jobs[index]
    compile_for(job.frontend, make_allocator(job.allocator))
