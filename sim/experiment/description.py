"""The description of an experiment: the same from the command line, from TOML and from Python."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allocators.registry import BUILT_IN
from sim.errors import UserError

if TYPE_CHECKING:
    from allocators import PageZone
    from sim.timing.costs import Costs
    from sim.timing.setting import Setting
    from workloads import Trace

DEFAULT_TRACES = ("gcc", "pandas", "redis", "node", "random:events=40000,slots=8000,pages=8000")
ERAS = {"zsmalloc": ("zsmalloc:era=6.1", "zsmalloc:era=2012")}  # besides today's
DEFAULT_ALLOCATORS = tuple(spec for name in BUILT_IN for spec in (name, *ERAS.get(name, ())))
# Fields that hold several values, those of them that hold texts, and those that only timing takes.
TEXTS = ("traces", "allocators", "compressors", "frontends", "mappings", "arrivals", "devices")
LISTS = (*TEXTS, "cpus", "loads", "page_clusters")
OF_TIMING = (
    *("mappings", "cpus", "arrivals", "loads", "devices", "page_clusters"),
    *("cpu_scale", "max_comp_streams", "costs", "sensitivity", "events"),
)
DEFAULT_COMPRESSORS = ("lz4", "lzo-rle", "zstd")


@dataclass(frozen=True)
class Experiment:
    """Every trace x frontend x compressor x allocator, one run each.

    Traces are names or specs as `cswap run` takes them, or `Trace` objects; the others are specs. `zone_pages` limits
    the physical pages; `unusable` fragments them: the share of the free ones that no order-1 block can be made of.

    With `timing` every run is timed as well, under every setting: `mappings` x `cpus` x `arrivals` x `loads` x
    `devices` x `page_clusters` (`sim.timing.setting`), at the prices of the file `costs` or the shipped ones;
    `sensitivity` times it at both ends of the range of each assumed price too, and `events` keeps every operation.
    Raises UserError for what is empty or contradictory.
    """

    traces: tuple[str | Trace, ...] = DEFAULT_TRACES
    allocators: tuple[str, ...] = DEFAULT_ALLOCATORS
    compressors: tuple[str, ...] = DEFAULT_COMPRESSORS
    frontends: tuple[str, ...] = ("zram",)
    zone_pages: int | None = None
    unusable: float = 0.0
    seed: int = 0
    timing: bool = False
    mappings: tuple[str, ...] = ("copy",)
    cpus: tuple[int, ...] = (2,)
    arrivals: tuple[str, ...] = ("closed",)
    loads: tuple[float, ...] = (1.0,)
    devices: tuple[str, ...] = ("nvme",)
    page_clusters: tuple[int, ...] = (0,)
    cpu_scale: float = 1.0
    max_comp_streams: int | None = None
    costs: str | None = None
    sensitivity: bool = False
    events: bool = False

    def __post_init__(self) -> None:
        for name in LISTS:
            value = getattr(self, name)
            values = (value,) if isinstance(value, str) or not hasattr(value, "__iter__") else tuple(value)
            if not values:
                raise UserError(f"experiment: {name} is empty; give at least one")
            for item in values:
                if name in TEXTS and not isinstance(item, str) and (name != "traces" or not hasattr(item, "batches")):
                    raise UserError(f"experiment: {name} holds {item!r}; give texts")
            object.__setattr__(self, name, tuple(dict.fromkeys(values)))
        for name, kinds in (("zone_pages", int), ("unusable", (int, float)), ("seed", int)):
            value = getattr(self, name)
            whole = isinstance(value, kinds) and not isinstance(value, bool)
            if not whole and (name, value) != ("zone_pages", None):
                raise UserError(f"experiment: {name}={value!r}; give a number")
        if self.seed < 0:
            raise UserError(f"experiment: seed={self.seed}; give 0 or more")
        if self.zone_pages is not None and self.zone_pages < 1:
            raise UserError(f"experiment: zone_pages={self.zone_pages}; give at least 1")
        if not 0 <= self.unusable <= 1 or (self.unusable and self.zone_pages is None):
            raise UserError(f"experiment: unusable={self.unusable}; give 0 to 1, together with zone_pages")
        for name in ("timing", "sensitivity", "events"):
            if not isinstance(getattr(self, name), bool):
                raise UserError(f"experiment: {name}={getattr(self, name)!r}; give true or false")
        if self.costs is not None and not isinstance(self.costs, str):
            raise UserError(f"experiment: costs={self.costs!r}; give the name of a file")
        idle = [f.name for f in fields(self) if f.name in OF_TIMING and getattr(self, f.name) != f.default]
        if idle and not self.timing:
            raise UserError(f"experiment: {idle[0]} has no effect without timing; give timing too")
        names = [device.rpartition("/")[2] for device in self.devices]  # as results call them
        if len(set(names)) < len(names):
            raise UserError(f"experiment: devices {', '.join(self.devices)} have equal names; rename a file")
        if self.timing:  # what is wrong there is told here
            self.settings()
            self.prices()

    @classmethod
    def from_toml(cls, path: str | Path, **settings: Any) -> Experiment:
        """Read an experiment from a TOML file whose keys are the fields; `settings` win. Raises UserError."""
        from sim.toml import read_toml

        given = read_toml(Path(path))
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

    def settings(self) -> list[Setting]:
        """The settings under which every run is timed; none without `timing`. Raises UserError."""
        from sim.timing.setting import Setting

        if not self.timing:
            return []
        common = (self.cpu_scale, self.max_comp_streams, self.seed)
        varied = (self.mappings, self.cpus, self.arrivals, self.loads, self.devices, self.page_clusters)
        return [Setting(*values, *common) for values in product(*varied)]

    def prices(self) -> Costs:
        """The prices of the timing stage. Raises UserError."""
        from sim.timing.costs import read_costs

        return read_costs(self.costs)

    def device_profiles(self) -> dict[str, Any]:
        """The swap devices in JSON-safe form."""
        from sim.timing.devices import read_device

        return {name: read_device(name).describe() for name in self.devices}

    def describe(self) -> dict[str, Any]:
        """The fields in JSON-safe form; a trace object by its name."""
        described = {field.name: getattr(self, field.name) for field in fields(self)}
        described["traces"] = [trace if isinstance(trace, str) else trace.name for trace in self.traces]
        return {key: list(value) if isinstance(value, tuple) else value for key, value in described.items()}
