"""The frontends there are: the built-in ones, those that a notebook registers, and those that packages offer."""

from __future__ import annotations

from importlib.metadata import entry_points
from pkgutil import resolve_name

from sim.errors import UserError
from sim.frontends.base import Frontend
from sim.spec import build, parse_spec

FRONTENDS: dict[str, str | type[Frontend]] = {
    "raw": "sim.frontends.raw:Raw",
    "zcache": "sim.frontends.zcache:Zcache",
    "zram": "sim.frontends.zram:Zram",
    "zswap": "sim.frontends.zswap:Zswap",
}


def register(cls: type[Frontend]) -> type[Frontend]:
    """Make a frontend known by its `name`; also a class decorator. Raises UserError if the name is taken.

    The same class defined again, as when a notebook's cell is run twice, replaces the earlier one.
    """
    known = FRONTENDS.get(cls.name, cls)
    if isinstance(known, str) or (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
        raise UserError(f"frontend {cls.name!r} is there already; give yours another name")
    FRONTENDS[cls.name] = cls
    return cls


def frontend_class(name: str) -> type[Frontend]:
    """The class of a name. Raises UserError for an unknown one."""
    found = FRONTENDS.get(name)
    if found is not None:
        cls: type[Frontend] = resolve_name(found) if isinstance(found, str) else found
        return cls
    for point in entry_points(group="cswap.frontends", name=name):
        return register(point.load())
    raise UserError(f"unknown frontend {name!r}; known are {', '.join(FRONTENDS)}")


def make_frontend(spec: str) -> Frontend:
    """The frontend of a spec. Raises UserError or SpecError."""
    name, settings = parse_spec(spec)
    return build(frontend_class(name), settings, name)
