"""Where a result comes from: everything needed to judge and reproduce it."""

from __future__ import annotations

import hashlib
import os
import platform
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from sim.machine import processor
from sim.plugins import GENERATORS
from sim.results.codec_times import taken_on
from sim.sizing.spread import Spread
from workloads.recordings import FOLDER as RECORDINGS
from workloads.samples import FOLDER as SAMPLES
from workloads.traces.stripping import safe_source

if TYPE_CHECKING:
    import numpy.typing as npt

    from sim.experiment.description import Experiment
    from sim.experiment.inputs import Item
    from sim.experiment.jobs import Job
    from workloads.traces.sizes import Sizes
    from workloads.traces.trace import Trace

FOLDERS = re.compile(r"[^:=,]*/")  # of the files that a spec names
PACKAGES = ("cswap", "numpy", "numba", "pandas", "pyarrow", "lz4", "zstandard", "simpy", "matplotlib")


def provenance(
    experiment: Experiment,
    traces: Sequence[tuple[Item, Trace]],
    jobs: Sequence[Job],
    *,
    complete: bool,
    keep_source: bool = False,
) -> dict[str, Any]:
    """JSON-safe: the experiment, digests of its traces and sizes, versions of codecs and packages, machine, time.

    Nothing in it names a person, a folder or a command line: files are named without their folders, and of a trace's
    source the part that is safe to share is kept (`workloads.traces.stripping.safe_source`); all with `keep_source`.
    `traces` are those of the experiment, opened, each with its item there.
    """
    named: Callable[[str], str] = str if keep_source else file_name
    described = experiment.describe()
    described["traces"] = list(dict.fromkeys(_reference(item, trace, keep_source) for item, trace in traces))
    prices, published, profiles = [], [], None
    if timing := experiment.timing:
        described["timing"]["swap_devices"] = [named(device) for device in timing.swap_devices]
        described["timing"]["costs"] = [file and named(file) for file in timing.costs]
        described["timing"]["codec_costs"] = [file and named(file) for file in timing.codec_costs]
        prices = [told | {"file": named(told["file"])} for told in (costs.describe() for costs in timing.all_costs())]
        known = [costs.describe() for costs in timing.all_codec_costs() if costs]
        published = [told | {"file": named(told["file"])} for told in known]
        profiles = timing.device_profiles()
    return {
        "complete": complete,
        "experiment": described,
        "traces": {
            trace.name: {
                "digest": trace.digest,
                "events": trace.counts,
                "source": trace.source if keep_source else _safe_source(trace),
            }
            for _, trace in traces
        },
        **of_codecs(jobs),
        "codec_costs": published if len(published) > 1 else next(iter(published), None),
        "unusable_index": _fragmentation(experiment),
        "prices": prices if len(prices) > 1 else next(iter(prices), None),
        "devices": profiles and {named(name): profile for name, profile in profiles.items()},
        "versions": {package: version(package) for package in PACKAGES},
        "python": platform.python_version(),
        "machine": {"processor": processor(), "cores": os.cpu_count(), "kernel": _kernel(keep_source)},
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def of_codecs(jobs: Sequence[Job]) -> dict[str, Any]:
    """Of the codecs: versions, digests of sizes and times, where the times were taken, and how far apart they were."""
    return {
        "codecs": {sizes.meta["codec"]: sizes.meta.get("version", "given with the trace") for _, sizes in _sized(jobs)},
        "sizes": _digests(jobs),
        "codec_times": _taken(jobs),
        "codec_spread": _spreads(jobs),
    }


def _fragmentation(experiment: Experiment) -> list[dict[str, Any]] | None:
    """The unusable free space index of each order in each memory that was fragmented."""
    memory = experiment.memory
    found = [(point, point.unusable_index()) for point in memory.points() if point.seed == memory.seed[0]]
    return [
        {"zone_pages": point.pages, "unusable": point.unusable, "unusable_order": point.unusable_order, "orders": index}
        for point, index in found
        if index
    ] or None


def same_experiment(one: Any, other: Any) -> bool:
    """Whether two descriptions are of one experiment, as far as they tell: files count without their folders."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [plain(part) for part in value]
        return file_name(value.rstrip("/")) if isinstance(value, str) else value

    return bool(plain(one) == plain(other))


def file_name(text: str) -> str:
    """A file without its folders; also of `FILE.toml:NAME`."""
    return text.rpartition("/")[2]


def _reference(item: Item, trace: Trace, keep_source: bool) -> str:
    """How a trace of an experiment is called for the next time: a shipped one, a generator's spec, or a file's name."""
    if isinstance(item, str) and trace.path is None:
        return item if keep_source else FOLDERS.sub("", item)
    if trace.path is None:
        return trace.name
    if trace.path.parent in (RECORDINGS, SAMPLES):
        return trace.path.stem + ("-sample" if trace.path.parent == SAMPLES else "")
    if isinstance(item, str) and "://" in item:
        return item if keep_source else file_name(item.rstrip("/"))
    return str(item if isinstance(item, str) else trace.path) if keep_source else trace.path.name


def _safe_source(trace: Trace) -> dict[str, Any]:
    """What of the source names nobody, and all fields of a generator, by which the trace can be made again."""
    safe, generator = safe_source(trace.source), trace.source.get("generator")
    if trace.path is None and isinstance(generator, str) and generator in GENERATORS.names():
        known = [field.name for field in fields(GENERATORS.find(generator))]
        numbers = {key: trace.source[key] for key in known if isinstance(trace.source.get(key), int | float)}
        safe |= {"generator": generator, **numbers}
    return safe


def _taken(jobs: Sequence[Job]) -> dict[str, dict[str, str]]:
    """Where the codecs' times of timed runs were taken, by trace and codec; "this machine" is `machine`."""
    found: dict[str, dict[str, str]] = {}
    for job in jobs:
        found.setdefault(job.trace.name, {})[job.sizes.meta["codec"]] = taken_on(job.trace, job.sizes)
    return found


def _spreads(jobs: Sequence[Job]) -> dict[str, dict[str, dict[str, Any]]]:
    """How far apart processes were that took a codec's times, by trace and codec, where several did."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for trace, sizes in _sized(jobs):
        if spread := Spread.of(sizes.meta):
            found.setdefault(trace, {})[sizes.meta["codec"]] = spread.row()
    return found


def _sized(jobs: Sequence[Job]) -> Iterator[tuple[str, Sizes]]:
    """Trace and sizes of every codec that is used on it."""
    for job in jobs:
        for sizes in (job.sizes, *job.secondary):
            yield job.trace.name, sizes


def _digests(jobs: Sequence[Job]) -> dict[str, dict[str, dict[str, str]]]:
    """Digests of the sizes, and of the times, by trace and codec."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for trace, sizes in _sized(jobs):
        of_trace, codec = found.setdefault(trace, {}), sizes.meta["codec"]
        if codec not in of_trace:
            of_trace[codec] = sizes_digests(sizes)
    return found


def sizes_digests(sizes: Sizes) -> dict[str, str]:
    """Digests in hex of the sizes and of the times."""
    columns = (sizes.size, sizes.same_filled, sizes.zero_filled)
    return {"sizes": _digest(columns), "times": _digest((sizes.compress_ns, sizes.decompress_ns))}


def _digest(columns: Iterable[npt.NDArray[Any]]) -> str:
    hasher = hashlib.blake2b(digest_size=16)
    for column in columns:
        hasher.update(column.astype(column.dtype.newbyteorder("<")).tobytes())
    return hasher.hexdigest()


def _kernel(whole: bool) -> str:
    """The kernel's release; what follows its numbers is its builder's own."""
    release = platform.release()
    numbers = re.match(r"\d+(\.\d+)*", release)
    return release if whole or not numbers else numbers[0]
