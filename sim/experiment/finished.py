"""Finished runs, kept in the user's cache until the result that they are part of is complete.

A command that was interrupted or killed finds them when it is repeated, under a digest of all that a run depends on:
the trace's events and pages as they were read, sizes and times, the models with their code, the memory, the setting
with its costs and its device, all sources of cswap and the releases of what it computes with. Whatever is edited, the
run is done again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.experiment.jobs import Job, Rows, TimedJob
from sim.results.provenance import sizes_digests
from sim.sizing.kept import expire, forget, is_kept, keep, recall

if TYPE_CHECKING:
    from sim.sizing.kept import Arrays, Fields

FOLDER = "runs"
DAYS = 30  # after which runs that nobody went on with are removed
ROWS, EVENTS, SECONDS = "rows", "events", "seconds"
PACKAGES = ("numpy", "numba", "simpy", "pandas")


class Finished:
    """The finished runs of one experiment: `find` those made earlier, `keep` each, `forget` them in the end."""

    def __init__(self) -> None:
        self._fields: list[Fields] = []
        self.saved_s = 0.0  # that those found took

    def find(self, jobs: Sequence[Job]) -> dict[int, Rows]:
        """The rows of those that are there, by their number among the jobs."""
        expire(FOLDER, DAYS)
        digests = {id(sizes): sizes_digests(sizes) for job in jobs for sizes in (job.sizes, *job.secondary)}
        self._fields = [_fields(job, digests) for job in jobs]
        arrays = {i: recall(fields, FOLDER) for i, fields in enumerate(self._fields)}
        there = {i: found for i, found in arrays.items() if found is not None}
        self.saved_s = sum(float(found[SECONDS]) for found in there.values())
        return {i: _rows(found) for i, found in there.items()}

    def keep(self, number: int, rows: Rows, seconds: float) -> None:
        """Keep what a run gave, and how long it took; called by the process that did it, as soon as it has ended."""
        keep(self._fields[number], _arrays(rows) | {SECONDS: np.array(seconds)}, FOLDER)

    def count(self) -> tuple[int, int]:
        """How many runs are kept, of how many."""
        return sum(is_kept(fields, FOLDER) for fields in self._fields), len(self._fields)

    def forget(self) -> None:
        """Remove them: the result is complete."""
        for fields in self._fields:
            forget(fields, FOLDER)


def _fields(job: Job, digests: Mapping[int, Mapping[str, str]]) -> Fields:
    """What the run depends on; `digests` of the tables of sizes, by their id."""
    from sim.compressors.identity import identity

    tables = [digests[id(sizes)] for sizes in (job.sizes, *job.secondary)]
    described: dict[str, Any] = {
        "kept": type(job).__name__,
        "key": job.key(job.allocator),
        "trace": [job.trace.digest, job.trace.n_slots],
        "sizes": [digest["sizes"] for digest in tables],
        "memory": list(job.memory),
        "code": [identity(model) for model in (job.allocator, job.frontend)],
        "sources": sources(),
        "versions": versions(),
    }
    if job.machine:
        recorded, told = job.experiment.machine.recorded_in(job.trace), job.trace.header.memory_digest
        share = job.machine.capacity(job.trace, recorded).share
        described["machine"] = [recorded, told, share, job.baseline, identity(job.machine.policy)]
        described["basis"] = job.machine.basis(recorded)
    if isinstance(job, TimedJob):
        from sim.plugins import MAPPINGS
        from sim.timing.devices import read_device

        price = job.price and [job.price.name, job.price.value]
        described |= {
            "times": [digest["times"] for digest in tables],
            "setting": repr(job.setting),
            "mapping": identity(MAPPINGS.make(job.setting.mapping)),
            "device": read_device(job.setting.device).describe(),
            "costs": job.costs.digest(),
            "columns": job.columns,
            "price": price,
            "events": job.events and price is None,
        }
    return {name: json.dumps(value, sort_keys=True, default=str) for name, value in described.items()}


@cache
def versions() -> list[str]:
    """The releases of what runs compute with."""
    return [version(package) for package in PACKAGES]


@cache
def sources() -> str:
    """Digest of all sources of the three packages, and of the costs and devices among them."""
    digest = hashlib.blake2b(digest_size=16)
    root = Path(__file__).parents[2]
    for package in ("allocators", "sim", "workloads"):
        for path in sorted((*(root / package).rglob("*.py"), *(root / package).rglob("*.toml"))):
            digest.update(f"{path.relative_to(root)} {path.stat().st_size}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _arrays(rows: Rows) -> Arrays:
    """Rows as text, which gives back every figure to the last bit, and the columns of the per-event frame."""
    plain = {name: part for name, part in vars(rows).items() if name != EVENTS}
    text: dict[str, list[Any]] = {**plain, EVENTS: []}
    arrays: Arrays = {}
    for i, columns in enumerate(rows.events):
        whole = {name: value for name, value in columns.items() if isinstance(value, np.ndarray)}
        arrays |= {f"{i} {name}": value for name, value in whole.items()}
        text[EVENTS].append(
            {name: None if name in whole else value for name, value in columns.items()} | {"": [*whole]}
        )
    data = json.dumps(text, default=lambda value: value.item()).encode()
    return {ROWS: np.frombuffer(data, np.uint8), **arrays}


def _rows(arrays: Arrays) -> Rows:
    found = json.loads(arrays[ROWS].tobytes())
    for i, columns in enumerate(found[EVENTS]):
        columns |= {name: arrays[f"{i} {name}"] for name in columns.pop("")}
    return Rows(**found)
