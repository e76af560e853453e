"""The runs that advice rests on: a row each, the same for a machine of a given size and for a trace as recorded."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.advice.judging import Row
from sim.advice.workloads import sample_share
from sim.experiment.description import Experiment
from sim.experiment.finished import Finished
from sim.experiment.runner import FOUND, run
from sim.experiment.timing import Timing
from sim.plugins import FRONTENDS
from sim.ram.meter import BASELINE
from workloads.progress import Progress, silent
from workloads.traces.sizes import GIVEN

if TYPE_CHECKING:
    from sim.advice.workloads import Workload
    from sim.results.result import Result
    from workloads.traces.trace import Trace

ALLOCATOR = "zsmalloc"
PLAIN = "zram"
CPUS = 2


class Packed(NamedTuple):
    """Objects at the trace's fullest moment, the pages that they take, and the most pages ever."""

    objects: int
    pages: float
    most: int


@dataclass
class Runs:
    """Runs experiments and keeps what is finished until `forget`, so that whoever is interrupted can go on."""

    report: Callable[[str], Progress]
    cpu_scale: float
    swap_device: str
    codec_costs: str | None
    _finished: list[Finished] = field(default_factory=list)

    def of(
        self,
        workload: Workload,
        *,
        frontends: Sequence[str] = (PLAIN,),
        compressors: Sequence[str],
        page_clusters: Sequence[int] = (0,),
        speeds: Sequence[float] = (1.0,),
        trace: Trace | None = None,
    ) -> list[Row]:
        """A row for each frontend, compressor, page-cluster and factor on CPU times, and the compressor's own times.

        `trace` stands in for that of the workload.
        """
        timing = self.timing(page_clusters, speeds)
        experiment = Experiment(
            traces=(trace or workload.trace,),
            frontends=tuple(frontends),
            compressors=tuple("lz4" if codec == GIVEN else codec for codec in compressors),
            allocators=(ALLOCATOR,),
            machine=workload.machine,
            timing=timing,
        )
        return [row | {"trace": workload.trace.name} for row in _rows(self._run(experiment), workload, self.cpu_scale)]

    def timing(self, page_clusters: Sequence[int] = (0,), speeds: Sequence[float] = (1.0,)) -> Timing:
        """How runs are timed. Raises UserError, OSError for what was given."""
        return Timing(
            cpus=(CPUS,),
            page_clusters=tuple(page_clusters),
            cpu_scale=tuple(self.cpu_scale * speed for speed in speeds),
            swap_devices=(self.swap_device,),
            codec_costs=(self.codec_costs,),
        )

    def packed(self, trace: Trace, compressors: Sequence[str]) -> dict[str, Packed]:
        """How its pages pack as it was recorded, by compressor."""
        given = tuple("lz4" if codec == GIVEN else codec for codec in compressors)
        found = self._run(Experiment(traces=(trace,), compressors=given, allocators=(ALLOCATOR,))).density
        return {row["compressor"]: _packed(row) for row in found.to_dict("records")}

    def _run(self, experiment: Experiment) -> Result:
        self._finished.append(Finished())
        result = run(experiment, report=self._stage, finished=self._finished[-1])
        if not result.provenance["complete"]:
            raise KeyboardInterrupt
        return result

    def _stage(self, name: str) -> Progress:
        return silent if name.endswith(FOUND) else self.report(name)  # most of those found were made by this command

    def kept(self) -> int:
        """How many runs are kept."""
        return sum(finished.count()[0] for finished in self._finished)

    def forget(self) -> None:
        """Remove them: the advice is complete."""
        for finished in self._finished:
            finished.forget()


def canonical(frontend: str) -> str:
    """A frontend's spec as results call it."""
    return FRONTENDS.make(frontend).spec


def zswap(workload: Workload, percent: int) -> str:
    """The spec of zswap on the machine of a workload; one that is replayed as recorded must be told its size."""
    if workload.at:
        return canonical(f"zswap:max_pool_percent={percent}")
    bytes_ = workload.ram if workload.scale is None else workload.ram / workload.scale
    return canonical(f"zswap:max_pool_percent={percent},ram_pages={max(1, round(bytes_ / workload.page_size))}")


def _rows(result: Result, workload: Workload, usual: float) -> list[Row]:
    """`RUN`'s columns, the setting, and the figures that the questions ask for."""
    counters = _by_run(result.counters)
    ram = {_run(row): row for row in result.ram.to_dict("records")}
    density = {_run(row): row for row in result.density.to_dict("records")}
    codecs = _codec_times(result)
    timed: dict[tuple[Any, ...], Row] = {}
    for row in result.timing.to_dict("records"):
        key = (*_run(row), row["page_cluster"], float(row.get("cpu_scale", usual)))
        timed.setdefault(key, {})[row["counter"]] = row["value"]
    rows = []
    for (frontend, compressor, cluster, scale), counted in timed.items():
        packed, closed = density[frontend, compressor], ram.get((frontend, compressor), {})
        rows.append(
            {
                "frontend": frontend,
                "compressor": compressor,
                "page_cluster": int(cluster),
                "cpu_scale": scale,
                "ram": workload.at,
                "time_lost_s": counted["time_lost_s"],
                "cpu_s": counted["cpu_use"] * counted["simulated_s"] * CPUS,
                "run_s": (workload.trace.duration_s or 0.0) * (sample_share(workload.trace) or 1.0) or None,
                "page_ins": int(closed.get("page_ins", workload.trace.counts["in"])),
                "page_outs": int(closed.get("page_outs", workload.trace.counts["out"])),
                "pool_pages_peak": int(closed.get("pool_pages_peak", packed["pages_max"])),
                "pool_pages_mean": float(closed.get("pool_pages_mean", _mean(packed))),
                "stored_pages_peak": int(closed.get("stored_pages_peak", packed["slots_max"])),
                "below": float(closed.get("below", 0.0)),
                "small": bool(packed["small"]),
                "huge": int(packed["huge"]),
                "bytes_peak": int(packed["bytes_peak"]),
                "objects_peak": int(packed["objects_peak"]),
                "page_size": int(packed["page_size"]),
                "readahead_pages": int(counted["readahead_pages"]),
                "readahead_useful": int(counted["readahead_useful"]),
            }
            | counters.get((frontend, compressor), {})
            | codecs.get(compressor, {})
        )
    return rows


def _packed(row: Mapping[Any, Any]) -> Packed:
    """By its bytes, where the pool is too small to judge."""
    pages = row["bytes_peak"] / row["page_size"] if row["small"] else row["pages_peak"]
    return Packed(int(row["objects_peak"]), float(pages), int(row["pages_max"]))


def _mean(row: Mapping[Any, Any]) -> float:
    """Pages of the pool over time; the most ever where no time passes."""
    return float(row["pages_max"] if math.isnan(row["pages_mean"]) else row["pages_mean"])


def _run(row: Mapping[Any, Any]) -> tuple[str, str]:
    return row["frontend"], row["compressor"]


def _by_run(counters: Any) -> dict[tuple[str, str], Row]:
    found: dict[tuple[str, str], Row] = {}
    for row in counters.to_dict("records"):
        found.setdefault(_run(row), {})[row["counter"]] = int(row["value"])
    return found


def _codec_times(result: Result) -> dict[str, Row]:
    """Mean us to compress and to decompress a page, as measured, by compressor."""
    rows = result.latency[result.latency["operation"] == "codec"]
    found: dict[str, Row] = {}
    for row in rows.to_dict("records"):
        found.setdefault(row["compressor"], {})[f"{row['part']}_us"] = float(row["mean_us"])
    return found


def is_device(row: Row) -> bool:
    """Whether it is a run of the swap device alone."""
    return bool(row["frontend"] == BASELINE)
