"""What an experiment is made of: its traces opened, their pages sized, and all its runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sim.errors import FieldError, UserError, remark
from sim.experiment.description import Experiment
from sim.experiment.inputs import renamed
from sim.experiment.jobs import Job, Rows, TimedJob
from sim.experiment.machine import TooSmall
from sim.experiment.remarks import remarks
from workloads.progress import Progress, silent

if TYPE_CHECKING:
    from allocators import Allocator
    from sim.compressors.base import Compressor
    from sim.experiment.inputs import Item
    from sim.experiment.published import Published
    from sim.frontends.base import Frontend
    from sim.plugins import Registry
    from workloads.traces.sizes import Sizes
    from workloads.traces.trace import Trace

    Opened = tuple[Item, Trace]

T = TypeVar("T")
Report = Callable[[str], Progress]  # names a stage, returns its progress callback


def quiet(stage: str) -> Progress:
    """Report no stage."""
    return silent


def prepare(
    experiment: Experiment, report: Report, in_memory: bool = False
) -> tuple[list[Opened], list[Job], Rows, dict[str, Any]]:
    """Open the traces and size their pages; with `in_memory`, sizes and times of generated pages are kept too.

    Gives the traces with their items, all runs, the rows of the codecs' times and sizes, and how many sizes of shipped
    recordings were confirmed, of how many, by trace and codec (`sim.sizing.confirmation`).
    """
    from sim.experiment.published import Published
    from sim.results.codec_times import codec_times, compressed_sizes, page_outs
    from sim.sizing.confirmation import Sampled
    from sim.sizing.sizing import size_pages
    from sim.sizing.units import with_units

    points = experiment.memory.points()
    allocators, frontends, codecs, further = models = models_of(experiment)
    units = sorted({frontend.unit for frontend in frontends})
    opened, traces = traces_of(experiment)
    for text in remarks(experiment, traces, models.frontends, models.codecs):
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
        published = Published(trace.page_size, used)
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
            of_units = {}
            for unit in units:
                with_them = report(f"{codec.spec} on {trace.name}, {unit} pages together") if unit > 1 else silent
                of_units[unit] = with_units(trace, sizes, codec, unit, progress=with_them, in_memory=in_memory)
            for frontend in frontends:
                other = tuple(secondary[spec] for spec in frontend.compressors)
                for allocator, point, machine in product(allocators, points, machines):
                    if frontend.pools or (codec is codecs[0] and allocator is allocators[0]):
                        shared = machine.size // trace.page_size if machine and machine.shared else 0
                        fitted = frontend.in_ram(shared) if shared else frontend
                        tables = (of_units[frontend.unit], other)
                        jobs.append(Job(trace, *tables, fitted, allocator, point, experiment, machine))
                        jobs.extend(_timed(jobs[-1], published))
        jobs.extend(_baseline(jobs, trace, published))
    if too_small and not jobs:
        raise too_small[0]
    for left_out in too_small:
        remark(f"{left_out}; that size is left out")
    return opened, jobs, rows, confirmed


class Models(NamedTuple):
    """What the specs of an experiment stand for; `further` are the codecs that its frontends have of their own."""

    allocators: list[Allocator]
    frontends: list[Frontend]
    codecs: list[Compressor]
    further: dict[str, Compressor]


def models_of(experiment: Experiment) -> Models:
    """The models, checked before any work is done. Raises SpecError, AllocatorError, UserError."""
    from sim.plugins import ALLOCATORS, COMPRESSORS, FRONTENDS, make_allocator

    zone = experiment.memory.points()[0].zone
    allocators = made(ALLOCATORS, experiment.allocators, page_size=4096, zone=None)
    for allocator in allocators:
        make_allocator(allocator, zone=zone())
    frontends = made(FRONTENDS, experiment.frontends)
    units = sorted({frontend.unit for frontend in frontends})
    for unit, allocator in product(units, allocators):
        make_allocator(allocator, unit=unit)
    if units[-1] > 1 and experiment.machine.closed:
        size = "ram" if experiment.machine.ram != (None,) else "limit"
        wrong = f"which pages go out together with unit={units[-1]} is not known on another machine"
        raise FieldError("machine", f"<{size}>: {wrong}; leave it or unit out")
    codecs = made(COMPRESSORS, experiment.compressors)
    further = {spec: COMPRESSORS.make(spec) for frontend in frontends for spec in frontend.compressors}
    return Models(allocators, frontends, codecs, further)


def traces_of(experiment: Experiment) -> tuple[list[Opened], list[Trace]]:
    """Its traces, opened and called by different names, each with its item there; and those that are replayed, which
    are all of them as one where they run together. Raises as `open_inputs`.
    """
    from sim.experiment.inputs import open_inputs
    from workloads.traces.together import together

    opened = [(item, trace) for item in experiment.traces for trace in open_inputs(item, experiment.page_sizes or ())]
    given = distinct([trace for _, trace in opened])
    traces = [together(given)] if experiment.machine.together and len(given) > 1 else given
    return list(zip((item for item, _ in opened), given, strict=True)), traces


def _baseline(jobs: list[Job], trace: Trace, published: Published) -> Iterator[Job]:
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
            yield from (job, *_timed(job, published))


def made(family: Registry[T], items: Iterable[str | T], **given: Any) -> list[T]:
    """The objects of specs or objects, each spec once. Raises SpecError, UserError if two classes have one name."""
    found: dict[str, Any] = {}
    for item in items:
        new: Any = family.make(item, **given)
        if type(found.setdefault(new.spec, new)) is not type(new):
            raise UserError(f"experiment: two classes of {family.word}s are called {new.name}; rename one")
    return list(found.values())


def _timed(job: Job, published: Published) -> Iterator[TimedJob]:
    """The same run under each setting; with each assumed price at either end, if that was asked for."""
    from sim.timing.sensitivity import variants

    timing = job.experiment.timing
    given = vars(job)
    for setting, costs, codec_costs, columns in timing.settings(job.memory.seed) if timing else ():
        under: dict[str, Any] = {**given, "setting": setting, "columns": columns, "costs": costs}
        times = published.times(job, codec_costs, setting.cpu_scale)
        yield TimedJob(**under | times)
        if timing and timing.sensitivity:
            codecs = [sizes.meta["codec"] for sizes in (job.sizes, *job.secondary)]
            ends = variants(costs, setting, job.frontend.name, codecs)
            yield from (TimedJob(**under | times | {"costs": changed, "price": one}) for one, changed in ends)
            for one, others in published.ends(job, codec_costs):
                yield TimedJob(**under | published.times(job, others, setting.cpu_scale), price=one)


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
