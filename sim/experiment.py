"""The description of an experiment: the same from the command line, from TOML and from Python."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import UserError

if TYPE_CHECKING:
    from allocators import PageZone
    from workloads import Trace

DEFAULT_TRACES = ("gcc", "pandas", "random:events=40000,slots=8000,pages=8000")
DEFAULT_ALLOCATORS = (
    "zsmalloc",
    "zsmalloc:era=6.1",
    "zsmalloc:era=2012",
    "xvmalloc",
    "zbud",
    "z3fold",
    "order1",
    "kmalloc",
    "coalesce",
    "ideal",
)
DEFAULT_COMPRESSORS = ("lz4", "lzo-rle", "zstd")


@dataclass(frozen=True)
class Experiment:
    """Every trace x frontend x compressor x allocator, one run each.

    Traces are names or specs as `cswap run` takes them, or `Trace` objects; the others are specs. `zone_pages` limits
    the physical pages; `unusable` fragments them: the share of the free ones that no order-1 block can be made of.
    Raises UserError for what is empty or contradictory.
    """

    traces: tuple[str | Trace, ...] = DEFAULT_TRACES
    allocators: tuple[str, ...] = DEFAULT_ALLOCATORS
    compressors: tuple[str, ...] = DEFAULT_COMPRESSORS
    frontends: tuple[str, ...] = ("zram",)
    zone_pages: int | None = None
    unusable: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("traces", "allocators", "compressors", "frontends"):
            value = getattr(self, name)
            values = (value,) if isinstance(value, str) or not hasattr(value, "__iter__") else tuple(value)
            if not values:
                raise UserError(f"experiment: {name} is empty; give at least one")
            for item in values:
                if not isinstance(item, str) and (name != "traces" or not hasattr(item, "batches")):
                    raise UserError(f"experiment: {name} holds {item!r}; give texts")
            object.__setattr__(self, name, tuple(dict.fromkeys(values)))
        for name, kinds in (("zone_pages", int), ("unusable", (int, float)), ("seed", int)):
            value = getattr(self, name)
            if not isinstance(value, kinds) and (name, value) != ("zone_pages", None):
                raise UserError(f"experiment: {name}={value!r}; give a number")
        if self.seed < 0:
            raise UserError(f"experiment: seed={self.seed}; give 0 or more")
        if self.zone_pages is not None and self.zone_pages < 1:
            raise UserError(f"experiment: zone_pages={self.zone_pages}; give at least 1")
        if not 0 <= self.unusable <= 1 or (self.unusable and self.zone_pages is None):
            raise UserError(f"experiment: unusable={self.unusable}; give 0 to 1, together with zone_pages")

    @classmethod
    def from_toml(cls, path: str | Path, **settings: Any) -> Experiment:
        """Read an experiment from a TOML file whose keys are the fields; `settings` win. Raises UserError."""
        try:
            given = tomllib.loads(Path(path).read_text())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UserError(f"{path}: {error}; write it as TOML") from error
        known = [field.name for field in fields(cls)]
        unknown = [key for key in given if key not in known]
        if unknown:
            raise UserError(f"{path}: unknown key {unknown[0]}; known are {', '.join(known)}")
        return cls(**(given | settings))

    def zone(self) -> PageZone:
        """A new zone for one run: without limit, or of `zone_pages` free pages, fragmented as asked."""
        from allocators import PageZone

        if self.zone_pages is None:
            return PageZone()
        if not self.unusable:
            return PageZone(self.zone_pages)
        return PageZone.fragmented(4 * self.zone_pages, self.zone_pages, self.unusable, seed=self.seed)

    def describe(self) -> dict[str, Any]:
        """The fields in JSON-safe form; a trace object by its name."""
        described = {field.name: getattr(self, field.name) for field in fields(self)}
        described["traces"] = [trace if isinstance(trace, str) else trace.name for trace in self.traces]
        return {key: list(value) if isinstance(value, tuple) else value for key, value in described.items()}
