"""One timed run: the details of a replay, with their costs, through the engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from allocators import Allocator
from sim.frontends.base import Frontend
from sim.ram.closed import Capacity, ClosedReplay, closed_replay
from sim.replay.detail import Log
from sim.replay.detailed import DetailedReplay, detailed
from sim.timing.arrivals import Arrivals, Reclaim, Recorded, Saturate
from sim.timing.check import Check
from sim.timing.costs import Costs, read_costs
from sim.timing.devices import read_device
from sim.timing.engine import Engine
from sim.timing.event_costs import EventCosts
from sim.timing.kernel_codecs import as_in_the_kernel
from sim.timing.latency import TOTAL
from sim.timing.lines import Lines
from sim.timing.measure import Meter
from sim.timing.setting import Setting
from sim.timing.tasks import Tasks
from sim.timing.work import Work
from workloads.progress import Progress, silent
from workloads.traces.sizes import Sizes
from workloads.traces.trace import Trace

BATCH = 1 << 14  # events


@dataclass(frozen=True, eq=False)
class Timed:
    """What a timed run gave: rows of the `latency` frame and of the `timing` frame, without the columns of the run.

    `counters` are named in `docs/timing.md`. `events` are columns of the per-event frame, empty unless asked for.
    """

    rows: list[dict[str, Any]]
    counters: dict[str, float]
    events: dict[str, Any]


def simulate(
    trace: Trace,
    sizes: Sizes,
    frontend: Frontend,
    allocator: Allocator,
    setting: Setting,
    costs: Costs | None = None,
    *,
    secondary: Sequence[Sizes] = (),
    capacity: Capacity | None = None,
    events: bool = False,
    progress: Progress = silent,
) -> Timed:
    """Time a replay on an empty device over a new allocator. Raises UserError, TimingFault.

    `secondary` are sizes by the `compressors` of the frontend; `capacity` is the machine's, if it is another one than
    the recorded one; `progress` is called with the events of the batches
    that have ended. Equal arguments give equal results, in any process.
    """
    costs = read_costs() if costs is None else costs
    sizes, secondary = as_in_the_kernel(sizes, costs), [as_in_the_kernel(other, costs) for other in secondary]
    streams = setting.streams or frontend.streams
    limited = streams is not None and streams < setting.cpus
    meter, check, notes = Meter(events), Check(), Notes()

    def flush(work: Work) -> None:
        parts = work.parts()
        check.add(work, parts[TOTAL])
        meter.add(work, parts)
        progress(meter.done, trace.n_events)
        arrivals.flushed()

    engine = Engine(
        setting.cpus,
        read_device(setting.device),
        locks=len(allocator.moved()),
        streams=streams if limited else None,
        requests=costs.number("block.requests"),
        seed=setting.seed,
        flush=flush,
    )
    running = detailed(
        trace,
        sizes,
        frontend,
        allocator,
        batch=BATCH,
        secondary=secondary,
        page_cluster=setting.page_cluster,
        cache_pages=costs.number("readahead.cache_pages"),
    )
    happening = running if capacity is None else closed_replay(running, capacity)
    lines = Lines(costs, frontend.name, allocator, trace.n_slots)
    event_costs = EventCosts(costs, setting, sizes, lines, limited)
    works = _works(happening, running.log, event_costs, notes)
    reclaim = Reclaim(engine, costs.number("reclaim.backlog"))
    arrivals = _arrivals(setting, engine, works, reclaim)
    arrivals.start()
    engine.run()
    check.check(engine)
    counters = _counters(engine, meter, reclaim, arrivals) | notes.counters(int((running.log.cache.number != 0).sum()))
    return Timed(meter.rows(), counters, meter.events())


def _arrivals(setting: Setting, engine: Engine, works: Iterator[Work], reclaim: Reclaim) -> Arrivals:
    if setting.arrivals == "saturate":
        return Saturate(engine, works)
    if setting.arrivals == "recorded":
        return Recorded(engine, works, reclaim, setting.load)
    return Tasks(engine, works, reclaim, setting.load)


def _works(running: DetailedReplay | ClosedReplay, log: Log, event_costs: EventCosts, notes: Notes) -> Iterator[Work]:
    """The batches of the replay as operations."""
    start = 0
    for events, outcome in running:
        detail = log.row[: len(events)]
        notes.add(detail, events.time_ns)
        yield event_costs.work(events, outcome, detail, running.moved, start)
        start += len(events)


class Notes:
    """Figures collected during a replay."""

    def __init__(self) -> None:
        self.sums = dict.fromkeys(("ahead", "cached", "dropped", "spans", "allocated"), 0)
        self.first = self.last = 0  # recorded times of the first and of the last event, ns
        self.timed = False

    def add(self, detail: Any, times: Any) -> None:
        """Take in the details of a batch, and its recorded times, if there are any."""
        if times is not None and len(times):
            self.first = self.first if self.timed else int(times[0])
            self.last, self.timed = int(times[-1]), True
        for name in self.sums:
            self.sums[name] += int(detail[name].sum())

    def counters(self, left: int) -> dict[str, float]:
        """Rows of the `timing` frame; `left`: pages in the swap cache at the end, read ahead for nothing."""
        sums = self.sums
        return {
            "recorded_s": (self.last - self.first) / 1e9,
            "readahead_pages": sums["ahead"],
            "readahead_useful": sums["cached"],
            "readahead_useless": sums["dropped"] + left,
            "spanning": sums["spans"],
            "pages_drawn": sums["allocated"],
        }


def _counters(engine: Engine, meter: Meter, reclaim: Reclaim, arrivals: Arrivals) -> dict[str, float]:
    seconds = engine.clock.now / 1e9
    share = 1 / engine.clock.now if engine.clock.now else 0.0
    asleep = sum(h.sum for (_, part), h in meter.histograms.items() if part in ("queue", "stream"))
    total = sum(h.sum for (_, part), h in meter.histograms.items() if part == TOTAL)
    return {
        "operations": meter.operations,
        "simulated_s": seconds,
        "time_lost_s": meter.lost / 1e9,
        "operations_per_s": meter.operations / seconds if seconds else 0.0,
        "most_inside": engine.most_inside,
        "overloaded": int(arrivals.overloaded),
        "cpu_use": (total - asleep - meter.slept) * share / engine.processors.count,
        "lock_use": max(lock.busy for lock in engine.locks) * share,
        "device_use": engine.device.busy * share / engine.device.depth,
        "device_pages_read": engine.device.pages_read,
        "device_pages_written": engine.device.pages_written,
        "kswapd": reclaim.kswapd.done,
        "direct_reclaim": reclaim.direct,
    }
