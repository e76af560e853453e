"""The compressors there are, by name; a module is imported when its compressor is first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, TypeVar

from sim.errors import CompressorError

if TYPE_CHECKING:
    from sim.compressors.base import Compressor

C = TypeVar("C", bound="type[Compressor]")


class Registry(Mapping[str, "type[Compressor]"]):
    """Classes by name: given as `module:class`, imported at the first look-up, or added as they are."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places: dict[str, str | type[Compressor]] = dict(places)

    def __getitem__(self, name: str) -> type[Compressor]:
        place = self._places[name]
        if isinstance(place, str):
            module, _, attribute = place.partition(":")
            self._places[name] = place = getattr(import_module(module), attribute)
        return place

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def add(self, cls: type[Compressor]) -> None:
        """Add a class under its name. Raises CompressorError if the name is taken."""
        if cls.name in self:
            raise CompressorError(f"a compressor called {cls.name} exists already; give {cls.__name__} another name")
        self._places[cls.name] = cls


COMPRESSORS = Registry(
    {
        "lz4": "sim.compressors.lz4:Lz4",
        "lz4-lib": "sim.compressors.lz4_lib:Lz4Lib",
        "lz4hc": "sim.compressors.lz4hc:Lz4hc",
        "lzo": "sim.compressors.lzo:Lzo",
        "lzo-rle": "sim.compressors.lzo_rle:LzoRle",
        "zstd": "sim.compressors.zstd:Zstd",
        "deflate": "sim.compressors.deflate:Deflate",
    }
)


def register(cls: C) -> C:
    """Make a user's own compressor known by its name; works as a decorator."""
    COMPRESSORS.add(cls)
    return cls


def compressor(spec: str) -> Compressor:
    """Make the compressor a spec describes: `name` or `name:key=value,key=value`.

    Raises CompressorError for a name, key or value that does not exist.
    """
    name, _, settings = spec.partition(":")
    if name not in COMPRESSORS:
        raise CompressorError(f"{spec}: no compressor is called {name}; there are {', '.join(COMPRESSORS)}")
    cls = COMPRESSORS[name]
    known = signature(cls).parameters
    config: dict[str, int | str] = {}
    for setting in filter(None, settings.split(",")):
        key, equals, value = setting.partition("=")
        if key not in known or not equals:
            choices = ", ".join(f"{parameter}=..." for parameter in known) or "no parameters"
            raise CompressorError(f"{spec}: {setting} means nothing here; {name} takes {choices}")
        config[key] = int(value) if value.lstrip("-").isdigit() else value
    return cls(**config)
