"""The description of an experiment: the same from the command line, from TOML and from Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sim.errors import FieldError, UserError
from sim.experiment.fields import check_keys, described, several
from sim.experiment.inputs import expand
from sim.experiment.machine import Machine
from sim.experiment.memory import Memory
from sim.experiment.timing import Timing
from sim.plugins import ALLOCATORS, COMPRESSORS, FRONTENDS, GENERATORS
from sim.units import bytes_of
from workloads.traces.sizes import LARGEST_PAGE

if TYPE_CHECKING:
    from allocators import Allocator
    from sim.compressors.base import Compressor
    from sim.frontends.base import Frontend
    from workloads import Trace
    from workloads.generators.base import Generator

DEFAULT_TRACES = ("gcc", "pandas", "redis", "node")
VARIANTS = {"zsmalloc": ("zsmalloc:era=6.1", "zsmalloc:era=2012", "zsmalloc:chain=4", "zsmalloc:chain=16")}
ON_DEMAND = ("zblock",)  # is in no release, and has tables for two page sizes only
DEFAULT_ALLOCATORS = tuple(
    spec for name in ALLOCATORS.built_in if name not in ON_DEMAND for spec in (name, *VARIANTS.get(name, ()))
)
CLOSED_ALLOCATORS = ("zsmalloc",)  # by default on machines of other sizes, where codecs and sizes are compared
DEFAULT_COMPRESSORS = ("lz4", "lzo-rle", "zstd")

PARTS: dict[str, type[Any]] = {"memory": Memory, "machine": Machine, "timing": Timing}
HOME = {f.name: (part, f.name) for part, cls in PARTS.items() for f in fields(cls)} | {
    "zone_pages": ("memory", "pages"),
    "devices": ("timing", "swap_devices"),
}
"""Where a setting is that stands by itself: an option of the command line, or a key from before there were parts."""


@dataclass(frozen=True)
class Experiment:
    """Every trace x frontend x compressor x allocator x memory x machine, one run each.

    Traces are names or specs as `cswap run` takes them, `Trace` objects or generators; the others are specs or objects.
    A number in a spec may be a range, `chain=4..16` or `0.2..0.8:0.2`, which stands for a spec of each.
    An allocator is a template: each run makes its own of that configuration; by default on machines of other sizes it
    is zsmalloc. `page_sizes`: of the traces that generators make, in bytes; all others must have one of them; none:
    each as it is. With `timing` every run is timed as well. Parts may be given as a mapping of their fields. Raises
    UserError for what is empty or contradictory.
    """

    traces: tuple[str | Trace | Generator, ...] = DEFAULT_TRACES
    frontends: tuple[str | Frontend, ...] = ("zram",)
    compressors: tuple[str | Compressor, ...] = DEFAULT_COMPRESSORS
    allocators: tuple[str | Allocator, ...] = DEFAULT_ALLOCATORS
    memory: Memory = field(default_factory=Memory)
    machine: Machine = field(default_factory=Machine)
    timing: Timing | None = None
    page_sizes: tuple[int, ...] | None = None

    def __new__(cls, *values: Any, **settings: Any) -> Self:
        """Refuse the keys of an experiment before it had parts."""
        _check_moved(settings, "experiment")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        by_default = self.allocators is DEFAULT_ALLOCATORS
        for trace in several(self, "traces", "experiment", expand):
            if not isinstance(trace, str) and not hasattr(trace, "batches") and not GENERATORS.covers(type(trace)):
                raise UserError(f"experiment: traces holds {trace!r}; give texts, traces or generators")
        for name, family in (("frontends", FRONTENDS), ("compressors", COMPRESSORS), ("allocators", ALLOCATORS)):
            for item in several(self, name, "experiment", family.expand):
                if not isinstance(item, str) and not family.covers(type(item)):
                    raise UserError(f"experiment: {name} holds {item!r}; give specs or {family.word} objects")
        for size in () if self.page_sizes is None else several(self, "page_sizes", "experiment", _as_bytes):
            if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= LARGEST_PAGE:
                wrong = "<page_sizes>={!r}; give bytes, such as 4096 or 16K, and at most 64K"
                raise FieldError("experiment", wrong, size)
        for name, cls in PARTS.items():
            given = getattr(self, name)
            if isinstance(given, Mapping):
                check_keys(cls, given, name)
                object.__setattr__(self, name, cls(**given))
            elif not isinstance(given, cls) and (name, given) != ("timing", None):
                raise UserError(f"experiment: {name}={given!r}; give {cls.__name__}(...), in TOML a table [{name}]")
        if by_default and self.machine.closed:
            object.__setattr__(self, "allocators", CLOSED_ALLOCATORS)

    @classmethod
    def from_toml(cls, path: str | Path, **settings: Any) -> Experiment:
        """Read an experiment from a TOML file whose keys are the fields; `settings` win. Raises UserError.

        In a part given as a mapping they win field by field.
        """
        from sim.experiment.places import placed

        with placed(Path(path), settings):
            return cls(**joined(read_table(Path(path)), settings))

    def describe(self) -> dict[str, Any]:
        """The fields in JSON-safe form: objects by their specs, traces by their names, dictionaries by digests."""
        from sim.compressors.dictionary import by_digest

        plain = {f.name: described(getattr(self, f.name)) for f in fields(self) if f.name not in PARTS}
        for name in ("compressors", "frontends"):
            plain[name] = list(map(by_digest, plain[name]))
        parts = {name: getattr(self, name) for name in PARTS}
        return plain | {name: part and part.describe() for name, part in parts.items()}


def _as_bytes(size: Any) -> tuple[Any]:
    read = bytes_of(size) if isinstance(size, str) else None
    return (size if read is None else read,)


def read_table(path: Path) -> dict[str, Any]:
    """What an experiment's TOML file says, its keys checked. Raises UserError."""
    from sim.toml import read_toml

    table = read_toml(path)
    _check_moved(table, str(path))
    check_keys(Experiment, table, str(path))
    return table


def joined(table: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """A table with settings that win, in the parts field by field."""
    both = {name: {**table[name], **settings[name]} for name in PARTS if _are_tables(table, settings, name)}
    return {**table, **settings, **both}


def in_parts(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that stand by themselves, put into their parts (`HOME`)."""
    table: dict[str, Any] = {}
    for name, value in flat.items():
        part, key = HOME.get(name, ("", name))
        (table.setdefault(part, {}) if part else table)[key] = value
    return table


def _are_tables(table: Mapping[str, Any], settings: Mapping[str, Any], name: str) -> bool:
    return isinstance(table.get(name), Mapping) and isinstance(settings.get(name), Mapping)


def _check_moved(given: Mapping[str, Any], where: str) -> None:
    for key in given:
        if key in HOME:
            part, name = HOME[key]
            python = f"{part}={PARTS[part].__name__}({name}=...)"
            raise UserError(f"{where}: {key} stands in {part} now; give {name} in the table [{part}], or {python}")
