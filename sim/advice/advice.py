"""Advice on all settings, from the runs of one's own traces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sim.advice.codec import codec
from sim.advice.compaction import compaction
from sim.advice.frontend import frontend
from sim.advice.judging import HALF_AND_TWICE, Advice
from sim.advice.page_cluster import page_cluster
from sim.advice.recompression import recompression
from sim.advice.runs import Runs
from sim.advice.settings import settings
from sim.advice.size import disksize, mem_limit
from sim.advice.study import NONE, Study
from sim.advice.workloads import (
    WORTH,
    Workload,
    common_codecs,
    left_aside,
    not_looked_at,
    nothing_goes_out,
    packs,
    short_of,
    workload,
    worthy,
)
from sim.advice.writeback import writeback
from sim.errors import UserError
from sim.experiment.inputs import open_inputs
from sim.experiment.preparation import Report, distinct, quiet
from sim.plots.curves import BELOW
from sim.timing.setting import FACTORS, check_factor
from sim.units import bytes_of
from workloads.traces.together import together as as_one

if TYPE_CHECKING:
    from sim.experiment.inputs import Item
    from workloads.traces.trace import Trace


@dataclass(frozen=True)
class Advised:
    """What was asked for, how each trace stands for that machine, and the advice in the order of the settings."""

    ram: int
    cpu_scale: float
    swap_device: str
    workloads: list[Workload]
    remarks: list[str]
    advice: list[Advice]

    def __getitem__(self, setting: str) -> Advice:
        """That on one setting. Raises KeyError."""
        for one in self.advice:
            if one.setting == setting:
                return one
        raise KeyError(setting)

    @property
    def settings(self) -> dict[str, list[str]]:
        """Lines by file: zram-generator.conf, sysctl, and commands for sh."""
        return settings({one.setting: one.value for one in self.advice})

    def describe(self) -> dict[str, Any]:
        """JSON-safe."""
        return {
            "ram": self.ram,
            "cpu_scale": self.cpu_scale,
            "swap_device": self.swap_device,
            "traces": [
                {
                    "trace": one.trace.name,
                    "recorded": one.recorded,
                    "at": one.at,
                    "scale": one.scale,
                    "told": one.told(),
                }
                for one in self.workloads
            ],
            "remarks": self.remarks,
            "advice": [one.describe() for one in self.advice],
            "settings": self.settings,
        }


def advise(
    traces: Sequence[Item],
    ram: int | str,
    *,
    cpu_scale: float = 1.0,
    recorded: int | str | None = None,
    swap_device: str = "nvme",
    codec_costs: str | None = None,
    together: bool = False,
    report: Report = quiet,
    on_runs: Callable[[Runs], None] | None = None,
) -> Advised:
    """Recommend the settings of swap for a machine of `ram` bytes (or a text, `8G`) that runs what the traces recorded.

    `cpu_scale`: its CPUs are so many times slower than those that codec times are from; `codec_costs` a file with the
    codec times of its own (docs/timing.md). `recorded`: the memory in which traces were recorded that do not tell.
    `swap_device`: what is behind zswap, and what pages are written back to. `together`: all traces run at the same time
    on one machine, else each alone (`workloads.traces.together`). `report` is given each stage. `on_runs` is
    told of the runs before they begin. Finished runs are kept until all are; a KeyboardInterrupt loses none.

    Raises UserError, TraceError.
    """
    size, known = _size("ram", ram), None if recorded is None else _size("recorded", recorded)
    least, most = FACTORS["cpu_scale"]
    check_factor("cpu_scale", cpu_scale, least / min(HALF_AND_TWICE), most / max(HALF_AND_TWICE))
    runs = Runs(report, float(cpu_scale), swap_device, codec_costs)
    runs.timing()  # what is wrong there is told before any work is done
    if on_runs:
        on_runs(runs)
    opened = distinct([trace for item in traces for trace in open_inputs(item)])
    _check(opened)
    if together and len(opened) > 1:
        opened = [as_one([_whole(trace) for trace in opened])]
    codecs = common_codecs(opened)
    workloads = [workload(trace, size, known, runs.packed(trace, codecs)) for trace in opened]
    if packs(workloads, codecs)[0] >= WORTH:
        kept = [one for one in workloads if worthy(one.packed)]
    else:
        kept = workloads
    study = Study(kept, runs, size, codecs)
    found = [codec(study)]
    if study.codec != NONE:
        found += frontend(study)
    found.append(page_cluster(study))
    if study.codec != NONE:
        found += [disksize(study), mem_limit(study)]
        found += [recompression(study), writeback(study), compaction(study)]
    runs.forget()
    remarks = [one.told() if one in kept else left_aside(one.trace) for one in workloads]
    remarks += [short_of(study.workload(row), row["below"]) for row in study.chosen if row["below"] > BELOW]
    remarks += [nothing_goes_out(study.workload(row)) for row in study.chosen if not row["page_outs"]]
    remarks += not_looked_at(opened, codecs)
    return Advised(size, float(cpu_scale), swap_device, workloads, remarks, found)


def _whole(trace: Trace) -> Trace:
    if "sample" in trace.source:
        told = f"{trace.name}: holds some of its slots only, so what all need together is not known"
        raise UserError(f"{told}; give the whole recording, or leave out --together")
    return trace


def _check(traces: list[Trace]) -> None:
    if not traces:
        raise UserError("advise: there is no trace; give at least one")
    for trace in traces:
        if not trace.counts["out"]:
            raise UserError(f"{trace.name}: has no page-outs, so there is nothing to advise on; give one that swaps")
        if trace.page_size != traces[0].page_size:
            sizes = f"pages of {trace.page_size} bytes, {traces[0].name} of {traces[0].page_size}"
            raise UserError(f"{trace.name}: has {sizes}; ask for one page size at a time")


def _size(name: str, given: int | str) -> int:
    size = bytes_of(given) if isinstance(given, str) else given
    if not isinstance(size, int) or isinstance(size, bool) or size < 1 << 20:
        raise UserError(f"advise: {name}={given!r}; give a size of at least 1M, such as 8G")
    return size
