"""The runs of an experiment: what each adds to the frames of the result."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workloads.progress import Progress, silent

if TYPE_CHECKING:
    from allocators import Allocator
    from sim.experiment.description import Experiment
    from sim.experiment.machine import MachinePoint
    from sim.experiment.memory import Point
    from sim.frontends.base import Frontend
    from sim.ram.closed import Capacity
    from sim.replay.replay import Replay
    from sim.results.density import DensityMeter
    from sim.timing.codec_costs import CodecCost
    from sim.timing.costs import Cost, Costs
    from sim.timing.setting import Setting
    from workloads.traces.sizes import Sizes
    from workloads.traces.trace import Trace

Row = dict[str, Any]
NONE = "none"  # compressor and allocator of a frontend that has no use for them
FULLEST, END = "fullest", "end"  # the moments of mm_stat


@dataclass
class Rows:
    """What runs add to the frames of a result; `events` are columns of the per-event frame, one entry a run."""

    density: list[Row] = field(default_factory=list)
    timeline: list[Row] = field(default_factory=list)
    latency: list[Row] = field(default_factory=list)
    counters: list[Row] = field(default_factory=list)
    sizes: list[Row] = field(default_factory=list)
    classes: list[Row] = field(default_factory=list)
    mm_stat: list[Row] = field(default_factory=list)
    ram: list[Row] = field(default_factory=list)
    lost: list[Row] = field(default_factory=list)  # of timed runs on machines of another size
    timing: list[Row] = field(default_factory=list)
    varied: list[Row] = field(default_factory=list)  # of runs with one price changed
    events: list[Row] = field(default_factory=list)

    @classmethod
    def joined(cls, parts: Iterable[Rows]) -> Rows:
        """Those of several runs, in their order."""
        whole = cls()
        for part in parts:
            for name, rows in vars(part).items():
                getattr(whole, name).extend(rows)
        return whole


@dataclass(frozen=True)
class Job:
    """One run, without a clock: density."""

    trace: Trace
    sizes: Sizes
    secondary: tuple[Sizes, ...]  # by the frontend's own codecs
    frontend: Frontend
    allocator: Allocator  # a template: each run makes its own
    memory: Point
    experiment: Experiment
    machine: MachinePoint | None = None  # None: as it was recorded
    baseline: bool = False  # what others are compared with in the frame `ram`, and nowhere else

    def run(self, progress: Progress = silent) -> Rows:
        """Replay; progress in events."""
        from sim.replay.detailed import detailed
        from sim.replay.replay import replay
        from sim.results.classes import class_rows
        from sim.results.density import DensityMeter
        from sim.results.parameters import PARAMETERS

        allocator = self.new_allocator()
        span = self.trace.header.span_ns if self.machine else None
        meter = DensityMeter(self.trace.n_events, self.trace.page_size, self.trace.fullest, span)
        # Where runs are timed too, the loop that notes details serves both: half as much to compile.
        begin = detailed if self.experiment.timing else replay
        running = begin(self.trace, self.sizes, self.frontend, allocator, secondary=self.secondary)
        key, classes, mm_stat = self.key(allocator), list[Row](), list[Row]()

        def note(moment: str) -> None:
            if found := self.frontend.mm_stat(running.device, allocator):
                mm_stat.append(key | {"moment": moment} | found._asdict())

        def look() -> None:
            note(FULLEST)
            classes.extend(key | row for row in class_rows(allocator, running.device))

        running.look_after(self.trace.fullest.event, look)
        figures: Row = {}
        if (capacity := self.capacity) is None:
            for events, outcome in running:
                meter.add(events, outcome)
                progress(meter.events, self.trace.n_events)
        else:
            running, figures = self._closed(running, capacity, meter, progress)
        if self.baseline:
            return Rows(ram=[key | figures])
        note(END)
        return Rows(
            density=[key | {PARAMETERS: allocator.arguments} | meter.row()],
            timeline=[key | row for row in meter.timeline()],
            counters=[key | {"counter": name, "value": value} for name, value in running.counters().items()],
            classes=classes,
            mm_stat=mm_stat,
            ram=[key | figures] if figures else [],
        )

    def _closed(self, plain: Replay, capacity: Capacity, meter: DensityMeter, progress: Progress) -> tuple[Replay, Row]:
        """What still happens on a machine of another size; the replay, and its figures."""
        from sim.ram.closed import closed_replay
        from sim.ram.meter import RamMeter

        running = closed_replay(plain, capacity)
        ram = RamMeter(running)
        for events, outcome in running:
            meter.add(events, outcome, running.of, program=running.program)
            ram.add(events, outcome)
            progress(int(running.of[-1]), self.trace.n_events)
        basis = self.machine.basis(self.experiment.machine.recorded_in(self.trace)) if self.machine else {}
        return running, ram.row() | basis

    @property
    def capacity(self) -> Capacity | None:
        """The machine's, as the trace sees it; None: as it was recorded."""
        machine = self.experiment.machine
        return self.machine and self.machine.capacity(self.trace, machine.recorded_in(self.trace))

    def new_allocator(self) -> Allocator:
        """A new allocator, in a zone of its own if the experiment limits it."""
        from sim.plugins import make_allocator

        return make_allocator(self.allocator, self.trace.page_size, self.memory.zone(), self.frontend.unit)

    def key(self, allocator: Allocator) -> Row:
        """The columns that tell runs apart."""
        return {
            "trace": self.trace.name,
            "frontend": self.frontend.spec,
            "compressor": self.sizes.meta["codec"] if self.frontend.pools else NONE,
            "allocator": self.allocator.spec if self.frontend.pools else NONE,  # as given, without the frontend's unit
            **self.experiment.memory.columns(self.memory),
            **(self.machine.columns() if self.machine else {}),
        }

    def label(self) -> str:
        """The run, in a few words."""
        return f"{self.trace.name}, {self.frontend.spec}, {self.sizes.meta['codec']}, {self.allocator.spec}"

    def kind(self) -> tuple[Any, ...]:
        """Jobs of one kind need the same compiled code."""
        from sim.plugins import make_allocator

        allocator = make_allocator(self.allocator, self.trace.page_size, unit=self.frontend.unit)
        device = self.frontend.device(1, allocator)
        policy = type(self.machine.policy) if self.machine else None
        return type(device), allocator.loop_type, self.frontend.period > 0, policy

    def compile(self) -> None:
        """Compile what it needs."""
        from sim.plugins import make_allocator
        from sim.ram.closed import compile_closed
        from sim.replay.detailed import new_log
        from sim.replay.replay import compile_for

        log = new_log(1, 1, [self.sizes]) if self.experiment.timing else None
        allocator = make_allocator(self.allocator, self.trace.page_size, unit=self.frontend.unit)
        if self.machine:
            compile_closed(self.frontend, allocator, self.machine.policy, log)
        else:
            compile_for(self.frontend, allocator, log)


@dataclass(frozen=True)
class TimedJob(Job):
    """The same run with a clock: latency. `price` is the one that was changed, to see what depends on it."""

    setting: Setting = field(kw_only=True)
    costs: Costs = field(kw_only=True)
    columns: Row = field(kw_only=True)  # of the frames, besides those of the setting
    price: Cost | CodecCost | None = None
    published: str = ""  # the file that the codec's times are from, if any

    @property
    def events(self) -> bool:
        """Whether every operation is kept."""
        return self.experiment.timing is not None and self.experiment.timing.events

    def run(self, progress: Progress = silent) -> Rows:
        """Replay and time; progress in events."""
        from sim.results.codec_times import taken_on
        from sim.timing.latency import TOTAL
        from sim.timing.simulate import simulate

        allocator = self.new_allocator()
        key = self.key(allocator) | self.setting.columns() | self.columns
        timed = simulate(
            self.trace,
            self.sizes,
            self.frontend,
            allocator,
            self.setting,
            self.costs,
            secondary=self.secondary,
            capacity=self.capacity,
            events=self.events and self.price is None,
            progress=progress,
        )
        lost = [key | self._lost(timed.counters)] if self.machine else []
        if self.baseline:
            return Rows(lost=lost)
        if self.price is not None:
            key |= {"price": self.price.name, "value": self.price.value}
            return Rows(varied=[key | row for row in timed.rows if row["part"] == TOTAL])
        taken = {"codec_times": self.published or taken_on(self.trace, self.sizes)}
        return Rows(
            latency=[key | row | taken for row in timed.rows],
            lost=lost,
            timing=[key | {"counter": name, "value": value} for name, value in timed.counters.items()],
            events=[key | timed.events] if timed.events else [],
        )

    def _lost(self, counters: dict[str, float]) -> Row:
        """What swapping costs the program: seconds, their share of the run, and how much longer that takes.

        The run is the simulated one, and what was recorded before the first and after the last event that happens. The
        last where tasks wait for their operations, and the trace tells the time.
        """
        lost, span = counters["time_lost_s"], self.trace.header.span_ns
        recorded = (span[1] - span[0]) / 1e9 / self.setting.load if span else 0.0
        seconds = counters["simulated_s"] + max(0.0, recorded - counters["recorded_s"] / self.setting.load)
        waits = self.setting.arrivals == "closed" and recorded
        return {
            "time_lost_s": lost,
            "time_lost_share": lost / seconds if seconds else 0.0,
            "slowdown": seconds / recorded if waits else math.nan,
        }
