"""What a cell depends on, and its digest: a cell is kept under it, and done again when anything of it changes."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.experiment.finished import sources, versions
from sim.plugins import MAPPINGS, POLICIES

if TYPE_CHECKING:
    from sim.experiment.preparation import Models
    from sim.experiment.timing import Timing
    from sim.sweep.cells import Cell
    from workloads.traces.trace import Trace


class Digests:
    """The digests of the cells of one sweep."""

    def __init__(self, models: Models) -> None:
        from sim.compressors.identity import identity

        every = (*models.allocators, *models.frontends, *models.codecs, *models.further.values())
        self._code = {model.spec: identity(model) for model in every}
        self._versions = {codec.spec: codec.version for codec in (*models.codecs, *models.further.values())}
        self._further = {frontend.spec: frontend.compressors for frontend in models.frontends}
        self._timings: dict[Timing, Any] = {}

    @cached_property
    def _program(self) -> dict[str, Any]:
        return {"sources": sources(), "versions": versions()}

    def of(self, cell: Cell, trace: Trace) -> str:
        """In hex; `trace` is what is replayed."""
        described = cell.experiment.describe()
        codecs = [*described["compressors"], *(c for f in described["frontends"] for c in self._further[f])]
        models = [spec for name in ("frontends", "allocators") for spec in described[name]]
        described["traces"] = [[source.name, source.digest] for source in cell.sources]
        described["timing"] = self._timing(cell.experiment.timing)
        described["machine"]["policy_from"] = _content(cell.experiment.machine.policy_from)
        about = {
            "experiment": described,
            "baseline": cell.baseline,
            # What a recording says of its machine; the digest is of events and pages.
            "trace": [trace.n_slots, trace.source, trace.header.span_ns],
            "code": [self._code[spec] for spec in models],
            "policies": [_code(POLICIES.make(policy)) for policy in cell.experiment.machine.policy],
            "codecs": {spec: [self._code[spec], self._versions[spec]] for spec in codecs},
            **self._program,
        }
        return hashlib.blake2b(json.dumps(about, sort_keys=True, default=str).encode(), digest_size=16).hexdigest()

    def _timing(self, timing: Timing | None) -> Any:
        """A setting, by the contents of its files."""
        if timing is None:
            return None
        if timing not in self._timings:
            own = timing.describe() | {
                "swap_devices": [*timing.device_profiles().values()],
                "costs": [costs.digest() for costs in timing.all_costs()],
                "codec_costs": [_content(file) for file in timing.codec_costs],
                "code": [_code(MAPPINGS.make(mapping)) for mapping in timing.mappings],
            }
            names = [name.rpartition("/")[2] for name in (*timing.swap_devices, *filter(None, timing.costs))]
            self._timings[timing] = own | {"names": names}
        return self._timings[timing]


def _code(model: Any) -> str:
    from sim.compressors.identity import identity

    return identity(model)


def _content(file: str | None) -> list[str] | None:
    """A file by its name and contents."""
    if file is None:
        return None
    return [Path(file).name, hashlib.blake2b(Path(file).read_bytes(), digest_size=16).hexdigest()]
