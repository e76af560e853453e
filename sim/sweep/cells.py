"""The cells of a sweep: one combination of an experiment each, in the order of its runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from itertools import product
from typing import TYPE_CHECKING, Any

from sim.errors import remark
from sim.experiment.jobs import NONE
from sim.experiment.machine import MachinePoint, TooSmall
from sim.experiment.memory import Memory, Point
from sim.experiment.timing import FLAGS, Timing
from sim.ram.meter import BASELINE
from sim.sweep.described import Digests
from workloads.traces.sizes import GIVEN

if TYPE_CHECKING:
    from allocators import Allocator
    from sim.experiment.description import Experiment
    from sim.experiment.inputs import Item
    from sim.experiment.preparation import Models
    from workloads.traces.trace import Trace

Columns = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """A trace as a process finds it: what opens it, what it is called in the sweep, and its digest."""

    item: Item
    name: str
    digest: str


@dataclass(frozen=True)
class Cell:
    """One combination. `experiment` has one value of each field, and no more traces than run together.

    `run` are the columns that tell its run apart in the whole sweep, `timed` those of its setting. The cell of a
    `baseline` is the swap device alone on machines of all sizes of a trace.
    """

    experiment: Experiment
    sources: tuple[Source, ...]
    run: Columns
    timed: Columns
    baseline: bool = False
    digest: str = field(default="", compare=False)

    @property
    def columns(self) -> Columns:
        """All columns that tell cells apart."""
        return self.run | self.timed

    def label(self) -> str:
        """The cell, in a few words."""
        return ", ".join(str(value) for value in self.run.values() if value not in (None, NONE))


def cells_of(experiment: Experiment, sources: list[Source], traces: list[Trace], models: Models) -> list[Cell]:
    """All cells. A trace's are together, so that a process opens and sizes it once; its baseline comes last.

    `sources` are those of the experiment; `traces` those that are replayed: each of them, or all as one. Raises
    TooSmall if no machine is large enough for any trace; a remark names those that are left out.
    """
    digests = Digests(models)
    found: list[Cell] = []
    too_small: list[TooSmall] = []
    for i, trace in enumerate(traces):
        own = tuple(sources) if len(traces) < len(sources) else (sources[i],)
        machines, small = experiment.machine.of(trace)
        too_small += small
        if machines:
            of_trace = replace(experiment, traces=tuple(source.item for source in own), page_sizes=None)
            cells = [*_of_trace(of_trace, own, trace, machines, models)]
            found += [replace(cell, digest=digests.of(cell, trace)) for cell in cells]
    if too_small and not found:
        raise too_small[0]
    for left_out in too_small:
        remark(f"{left_out}; that size is left out")
    return found


def _of_trace(
    experiment: Experiment,
    sources: tuple[Source, ...],
    trace: Trace,
    machines: list[MachinePoint | None],
    models: Models,
) -> Iterator[Cell]:
    """Its cells, in the order of `sim.experiment.preparation.prepare`."""
    codecs, allocators = models.codecs, models.allocators
    given = not trace.content and GIVEN in trace.sizes_codecs()  # given sizes stand for any codec
    points = experiment.memory.points()
    settings = {seed: [*_settings(experiment, seed)] for seed in experiment.memory.seed}
    for codec, frontend in product(codecs[:1] if given else codecs, models.frontends):
        for allocator, point, machine in product(allocators, points, machines):
            if not frontend.pools and (codec is not codecs[0] or allocator is not allocators[0]):
                continue
            key = {
                "trace": trace.name,
                "frontend": frontend.spec,
                "compressor": codec.spec if frontend.pools else NONE,
                "allocator": allocator.spec if frontend.pools else NONE,
                **experiment.memory.columns(point),
                **(machine.columns() if machine else {}),
            }
            of_run = replace(
                experiment,
                compressors=(codec,),
                frontends=(frontend,),
                allocators=(as_given(experiment, allocator),),
                memory=_memory(point),
                machine=_machine(experiment, machine),
            )
            for setting, timing in settings[point.seed]:
                yield Cell(replace(of_run, timing=timing), sources, key, setting)
    if experiment.machine.closed:
        yield from _baselines(experiment, sources, trace, models)


def _baselines(experiment: Experiment, sources: tuple[Source, ...], trace: Trace, models: Models) -> Iterator[Cell]:
    """The swap device alone, on machines of all sizes at once: under each setting."""
    first, device = models.frontends[0], [frontend for frontend in models.frontends if frontend.spec == BASELINE]
    point = experiment.memory.points()[0]
    alone = replace(
        experiment,
        compressors=(models.codecs[0],),
        frontends=(first, *(frontend for frontend in device if frontend is not first)),
        allocators=(as_given(experiment, models.allocators[0]),),
        memory=_memory(point),
    )
    none = {"trace": trace.name, "frontend": BASELINE, "compressor": NONE, "allocator": NONE}
    for setting, timing in _settings(experiment, point.seed):
        key = none | experiment.memory.columns(point)
        yield Cell(replace(alone, timing=timing), sources, key, setting, baseline=True)


def as_given(experiment: Experiment, allocator: Allocator) -> str | Allocator:
    """The allocator as a process is told of it: its spec, which is shorter than itself, or an object that was given."""
    objects = {item.spec: item for item in experiment.allocators if not isinstance(item, str)}
    return objects.get(allocator.spec, allocator.spec)


def _memory(point: Point) -> Memory:
    """That point alone."""
    return Memory(**{name: (value,) for name, value in point._asdict().items()})


def _machine(experiment: Experiment, point: MachinePoint | None) -> Any:
    """That machine alone."""
    if point is None:
        return experiment.machine
    size: dict[str, Any] = {"ram": (None,), "limit": (None,), "ram" if point.shared else "limit": (point.size,)}
    policy: dict[str, Any] = {} if experiment.machine.policy_from else {"policy": (point.policy,)}
    return replace(experiment.machine, **size, **policy)


def _settings(experiment: Experiment, seed: int) -> Iterator[tuple[Columns, Timing | None]]:
    """Every setting alone, with its columns; one without a clock where runs are not timed."""
    timing = experiment.timing
    if timing is None:
        yield {}, None
        return
    names = [f.name for f in fields(timing) if f.name not in FLAGS]
    values = product(*(getattr(timing, name) for name in names))
    for told, one in zip(timing.settings(seed), values, strict=True):
        single: dict[str, Any] = {name: (value,) for name, value in zip(names, one, strict=True)}
        yield told.setting.columns() | told.columns, replace(timing, **single)
