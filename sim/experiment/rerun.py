"""A result made again: the experiment of its provenance, on the same traces, for `cswap run --rerun`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import USER_ERRORS, UserError
from sim.experiment.description import PARTS, Experiment, in_parts, joined
from sim.experiment.fields import check_keys
from sim.experiment.inputs import as_generator, open_input, renamed, shipped
from sim.parameters import parameters
from sim.plugins import GENERATORS
from sim.results.saving import MARK

if TYPE_CHECKING:
    from workloads import Trace

LARGEST = 64 << 20  # bytes of a provenance that are read


@dataclass(frozen=True)
class Recorded:
    """A provenance: where it is, and what it says."""

    file: Path
    about: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> Recorded:
        """Read a provenance.json, or that of a result's folder. Raises UserError for one that tells too little."""
        file = path / MARK if path.is_dir() else path
        if not file.is_file():
            raise UserError(f"{file}: is no file; give the {MARK} of a result, or its folder")
        try:
            if file.stat().st_size > LARGEST:
                raise ValueError(f"larger than {LARGEST >> 20} MiB")
            about = json.loads(file.read_text())
        except (ValueError, RecursionError) as error:
            raise UserError(f"{file}: cannot be read ({error}); give the {MARK} of a result") from error
        told = about if isinstance(about, dict) else {}
        for name in ("experiment", "traces"):
            if not isinstance(told.get(name), dict) or not told[name]:
                raise UserError(f"{file}: tells no {name}, so it cannot be run again; run the experiment itself")
        told = told | {"experiment": _with_parts(told["experiment"])}
        for part, keys in ((Experiment, told["experiment"]), *((PARTS[p], told["experiment"].get(p)) for p in PARTS)):
            check_keys(part, keys if isinstance(keys, dict) else {}, f"{file}: experiment")
        for name, trace in told["traces"].items():
            if not isinstance(trace, dict) or not isinstance(trace.get("digest"), str):
                raise UserError(f"{file}: traces: {name} has no digest, so nothing tells which trace it was")
        return cls(file, told)

    def experiment(self, given: Sequence[str] = (), **settings: Any) -> Experiment:
        """The experiment on the same traces, which are looked for among `given`, then where they were.

        `settings` win: files of costs, codec times and devices that are elsewhere now. Raises UserError unless there is
        a trace of each digest.
        """
        told = joined(self.about["experiment"], in_parts(settings))
        timing = told.get("timing") or {}
        devices = [str(device).rpartition(":")[0] for device in _listed(timing.get("swap_devices"))]
        for option, files in (
            ("--costs", _listed(timing.get("costs"))),
            ("--codec-costs", _listed(timing.get("codec_costs"))),
            ("--swap-device", devices),
        ):
            for file in files:
                if isinstance(file, str) and file and not Path(file).is_file():
                    raise UserError(f"{self.file}: {file} is not here; give it as {option}")
        return Experiment(**(told | {"traces": tuple(self._traces(given))}))

    def _traces(self, given: Sequence[str]) -> Iterator[Trace]:
        """The traces by their digests, called as they were."""
        wanted = {name: trace["digest"] for name, trace in self.about["traces"].items()}
        found: dict[str, Trace] = {}
        for text in given:
            trace = open_input(text)
            if trace.digest not in wanted.values():
                names = ", ".join(f"{name} {digest}" for name, digest in wanted.items())
                raise UserError(f"{text}: digest {trace.digest} is of none of the traces of {self.file}: {names}")
            found.setdefault(trace.digest, trace)
        others: dict[str, str] = {}  # digests of those of the same name
        for trace in self._known():
            found.setdefault(trace.digest, trace)
            others[trace.name] = trace.digest
        for name, digest in wanted.items():
            if digest not in found:
                there = f"the one there is now has {others[name]}" if name in others else "it is not here"
                raise UserError(f"{self.file}: {name}: of digest {digest}, but {there}; give the trace itself as TRACE")
            trace = found[digest]
            yield trace if trace.name == name else renamed(trace, name)

    def _known(self) -> Iterator[Trace]:
        """The traces that the experiment names, as far as they are here, and those of generators with all fields."""
        texts = self.about["experiment"].get("traces")
        for text in texts if isinstance(texts, list) else ():
            if isinstance(text, str) and _is_here(text):
                yield open_input(text)
        for trace in self.about["traces"].values():
            if made := _generated(trace.get("source")):
                yield made


def _with_parts(told: dict[str, Any]) -> dict[str, Any]:
    """An experiment as it is described today; one from before it had parts is put into them."""
    if isinstance(told.get("timing"), bool) or not PARTS.keys() & told.keys():
        flat = {name: value for name, value in told.items() if name != "timing"}
        table = in_parts(flat)
        if not told.get("timing"):
            table.pop("timing", None)
        return table
    return told


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _is_here(text: str) -> bool:
    try:
        return Path(text).is_dir() or text in shipped() or as_generator(text) is not None
    except USER_ERRORS:  # a generator whose file is gone, or another one now
        return False


def _generated(source: Any) -> Trace | None:
    """The trace of a generator's fields; None for another source."""
    name = source.get("generator") if isinstance(source, dict) else None
    if not isinstance(name, str) or name not in GENERATORS.names():
        return None
    cls: Any = GENERATORS.find(name)
    if any(p.required and p.name not in source for p in parameters(cls).values()):  # as the file of a recipe
        return None
    known = {field.name for field in fields(cls)}
    made: Trace = cls(**{key: value for key, value in source.items() if key in known}).trace()
    return made
