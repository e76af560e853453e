"""Plug-ins: one way to name, find, make and add a model of any family.

Built-in classes stand in the tables below and are imported when they are asked for. A notebook adds its own with
`register`, an installed package through the entry-point group of the family (`cswap.allocators`, ...).
"""

from __future__ import annotations

from functools import cached_property
from inspect import signature
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from allocators.errors import AllocatorError
from sim.errors import SpecError, meant
from sim.spec import build, expanded, has_range, parse_spec

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from allocators import Allocator, PageZone
    from sim.compressors.base import Compressor
    from sim.frontends.base import Frontend
    from sim.ram.base import Policy
    from sim.timing.mapping import Mapping
    from workloads.generators.base import Generator
    from workloads.readers.base import Reader

T = TypeVar("T")
C = TypeVar("C", bound=type)


def place(cls: type) -> str:
    """Where a class is defined: `module:Class`."""
    return f"{cls.__module__}:{cls.__qualname__}"


def entry_points(group: str) -> Any:
    """Those of installed packages. Imported late: `cswap --help` need not wait for it."""
    from importlib import metadata

    return metadata.entry_points(group=group)


class Registry(Generic[T]):
    """The classes of a family: `word` is what one of them is called, `base` what they all inherit (`module:Class`).

    `built_in` are places by name. A name belongs to one class; the same class defined again, as when a notebook's cell
    is run twice, replaces the earlier one.
    """

    def __init__(self, word: str, base: str, built_in: dict[str, str]) -> None:
        self.word, self.base, self.built_in = word, base, built_in
        self._registered: dict[str, type[T]] = {}

    def names(self) -> list[str]:
        """All names: built-in, registered, offered by installed packages."""
        return list(dict.fromkeys([*self.built_in, *self._registered, *self._offered]))

    def covers(self, cls: type) -> bool:
        """Whether a class is of this family; imports nothing."""
        return self.base in map(place, cls.__mro__)

    def register(self, cls: C) -> C:
        """Make a class known by its `name`; also a decorator. Raises SpecError if another class has the name."""
        name = self._name(cls)
        known = self._registered.get(name)
        if place(cls) != (place(known) if known else self.built_in.get(name, place(cls))):
            raise SpecError(f"{self.word} {name!r} is there already; give yours another name")
        self._registered[name] = cast("type[T]", cls)
        return cls

    def find(self, name: str) -> type[T]:
        """The class of a name. Raises SpecError for an unknown one, and for one that two classes have."""
        if name not in self._registered:
            offered = self._offered.get(name, [])
            if len({*filter(None, [self.built_in.get(name)]), *(point.value for point in offered)}) > 1:
                packages = ", ".join(point.dist.name if point.dist else point.value for point in offered)
                raise SpecError(f"{self.word} {name!r} is there more than once; remove that of the package {packages}")
            if name in self.built_in:
                built_in: type[T] = resolve_name(self.built_in[name])
                return built_in
            if not offered:
                raise SpecError(
                    f"unknown {self.word} {name!r}{meant(name, self.names())}; known are {', '.join(self.names())}"
                )
            self._load(offered[0])
        return self._registered[name]

    def make(self, spec: str | T, **given: Any) -> T:
        """The object of a spec; an object as it is, or, if anything is `given`, another one of its configuration.

        `given` are arguments that no spec may set, handed over if the constructor takes them. Raises SpecError.
        """
        if isinstance(spec, str):
            name, settings = parse_spec(spec)
            return build(self.find(name), settings, name, **given)
        self._name(type(spec))
        return cast("T", cast("Any", spec).anew(**given)) if given else spec

    def expand(self, spec: str | T) -> list[str | T]:
        """All specs of one that has ranges (`sim.spec.expanded`); anything else as it is. Raises SpecError."""
        if not isinstance(spec, str) or not has_range(spec):
            return [spec]
        return [*expanded(self.find(parse_spec(spec)[0]), spec)]

    @cached_property
    def _offered(self) -> dict[str, list[EntryPoint]]:
        """What installed packages offer, by name."""
        found: dict[str, list[EntryPoint]] = {}
        for point in entry_points(group=f"cswap.{self.word.rpartition(' ')[2]}s"):
            found.setdefault(point.name, []).append(point)
        return found

    def _load(self, point: EntryPoint) -> None:
        try:
            cls = point.load()
        except Exception as error:  # whatever a stranger's package does
            raise SpecError(
                f"{self.word} {point.name!r}: {point.value} cannot be imported ({error}); mend or remove its package"
            ) from error
        if not isinstance(cls, type) or self._name(cls) != point.name:
            raise SpecError(f"{self.word} {point.name!r}: {point.value} is no class of that name; mend its entry point")
        self.register(cls)

    def _name(self, cls: type) -> str:
        if not self.covers(cls):
            raise SpecError(f"{cls.__name__} is no {self.word}; derive it from {self.base.replace(':', '.')}")
        name = getattr(cls, "name", None)
        if not isinstance(name, str) or not name or set(":,=/ ") & set(name):
            raise SpecError(f"{cls.__name__}: name={name!r}; give a name without spaces and : , = /")
        return name


ALLOCATORS: Registry[Allocator] = Registry(
    "allocator",
    "allocators.base:Allocator",
    {
        "zsmalloc": "allocators.zspages.zsmalloc:Zsmalloc",
        "xvmalloc": "allocators.xvmalloc:Xvmalloc",
        "zbud": "allocators.zbud:Zbud",
        "z3fold": "allocators.z3fold:Z3fold",
        "zblock": "allocators.zblock:Zblock",
        "order1": "allocators.zspages.order1:Order1",
        "kmalloc": "allocators.zspages.kmalloc:Kmalloc",
        "coalesce": "allocators.coalesce:Coalesce",
        "ideal": "allocators.ideal:Ideal",
    },
)
COMPRESSORS: Registry[Compressor] = Registry(
    "compressor",
    "sim.compressors.base:Compressor",
    {
        "lz4": "sim.compressors.lz4:Lz4",
        "lz4-lib": "sim.compressors.lz4_lib:Lz4Lib",
        "lz4hc": "sim.compressors.lz4hc:Lz4hc",
        "lzo": "sim.compressors.lzo:Lzo",
        "lzo-rle": "sim.compressors.lzo_rle:LzoRle",
        "zstd": "sim.compressors.zstd:Zstd",
        "deflate": "sim.compressors.deflate:Deflate",
    },
)
FRONTENDS: Registry[Frontend] = Registry(
    "frontend",
    "sim.frontends.base:Frontend",
    {
        "raw": "sim.frontends.raw:Raw",
        "zcache": "sim.frontends.zcache:Zcache",
        "zram": "sim.frontends.zram.frontend:Zram",
        "zswap": "sim.frontends.zswap.frontend:Zswap",
        "device": "sim.frontends.device:Device",
    },
)
MAPPINGS: Registry[Mapping] = Registry(
    "mapping",
    "sim.timing.mapping:Mapping",
    {
        "pte": "sim.timing.mapping:Pte",
        "pte-global": "sim.timing.mapping:PteGlobal",
        "copy": "sim.timing.mapping:Copy",
        "kmap-pair": "sim.timing.mapping:KmapPair",
        "vmap": "sim.timing.mapping:Vmap",
        "map-vm-area": "sim.timing.mapping:MapVmArea",
        "contiguous": "sim.timing.mapping:Contiguous",
    },
)
GENERATORS: Registry[Generator] = Registry(
    "generator",
    "workloads.generators.base:Generator",
    {
        "uniform": "workloads.generators.sizes:Uniform",
        "bell": "workloads.generators.sizes:Bell",
        "bimodal": "workloads.generators.sizes:Bimodal",
        "random": "workloads.generators.pages:RandomPages",
        "recipe": "workloads.generators.recipe:Recipe",
        "references": "sim.ram.references:References",
    },
)
READERS: Registry[Reader] = Registry(
    "reader",
    "workloads.readers.base:Reader",
    {
        "csv": "workloads.readers.csv:Csv",
        "dump": "workloads.readers.dump:Dump",
        "swap": "workloads.readers.swap:Swap",
        "elf": "workloads.readers.elf:Elf",
        "lime": "workloads.readers.lime:Lime",
        "avml": "workloads.readers.avml:Avml",
        "criu": "workloads.readers.criu:Criu",
        "quetschn": "workloads.readers.quetschn:Quetschn",
        "ariadne": "workloads.readers.ariadne:Ariadne",
        "memory": "workloads.readers.memory:Memory",
        "fio": "workloads.readers.fio:Fio",
        "msr": "workloads.readers.msr:Msr",
        "swapreplay": "workloads.readers.swapreplay:SwapReplay",
        "cachesim-csv": "workloads.readers.cachesim_csv:CachesimCsv",
        "lackey": "workloads.readers.lackey:Lackey",
        "oracle-general": "workloads.readers.oracle_general:OracleGeneral",
        "blkparse": "workloads.readers.blkparse:Blkparse",
        "trace-events": "workloads.readers.trace_events:TraceEvents",
    },
)
POLICIES: Registry[Policy] = Registry(
    "policy",
    "sim.ram.base:Policy",
    {"lru": "sim.ram.lru:Lru", "random": "sim.ram.random:Random", "two-list": "sim.ram.two_list:TwoList"},
)

FAMILIES: tuple[Registry[Any], ...] = (ALLOCATORS, COMPRESSORS, FRONTENDS, MAPPINGS, GENERATORS, READERS, POLICIES)


def register(cls: C) -> C:
    """Make a class of any family known by its `name`; also a decorator. Raises SpecError.

    The family is the one whose base class it inherits: allocator, compressor, frontend, mapping, generator or reader.
    """
    for family in FAMILIES:
        if family.covers(cls):
            return family.register(cls)
    bases = ", ".join(family.base.replace(":", ".") for family in FAMILIES)
    raise SpecError(f"{cls.__name__}: nothing that can be registered; derive it from one of {bases}")


TAKE = "give allocator zsmalloc or ideal, or leave unit out"


def make_allocator(
    spec: str | Allocator, page_size: int = 4096, zone: PageZone | None = None, unit: int = 1
) -> Allocator:
    """A new allocator of a spec, or of the configuration of an allocator, over pages of `page_size` bytes drawn from
    `zone` (default: no limit), for objects of up to `unit` pages.

    Raises SpecError or AllocatorError.
    """
    template = spec if unit == 1 else _of_unit(ALLOCATORS.make(spec), unit)
    allocator = ALLOCATORS.make(template, page_size=page_size, zone=zone)
    name = allocator.name
    if allocator.page_size != page_size:
        raise SpecError(f"{name}: packs pages of {allocator.page_size} bytes only, not of {page_size}")
    if zone is not None and allocator.zone is not zone:
        raise SpecError(f"{name}: its constructor takes no zone; leave the zone out, or let it draw its pages there")
    return allocator


def _of_unit(allocator: Allocator, unit: int) -> Allocator:
    """The same with `unit` set, unless it is. Raises SpecError for one that stores no more than a page at once."""
    if allocator.unit == unit:
        return allocator
    if allocator.unit > 1:
        raise SpecError(f"{allocator.spec}: its unit is not that of the frontend, {unit}; leave it out")
    if "unit" not in signature(type(allocator)).parameters:
        wrong = f"{allocator.name}: stores no object of more than a page, as unit={unit} of the frontend needs"
        raise SpecError(f"{wrong}; {TAKE}")
    try:
        return type(allocator)(**allocator.config, unit=unit)
    except AllocatorError as error:
        raise SpecError(f"allocator {allocator.spec}: {error}; {TAKE}") from error
