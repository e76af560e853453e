"""The frontends there are."""

from __future__ import annotations

from importlib import import_module

from sim.errors import UserError
from sim.frontends.base import Frontend
from sim.spec import build, parse_spec

FRONTENDS = {
    "raw": "sim.frontends.raw:Raw",
    "zcache": "sim.frontends.zcache:Zcache",
    "zram": "sim.frontends.zram:Zram",
    "zswap": "sim.frontends.zswap:Zswap",
}


def frontend_class(name: str) -> type[Frontend]:
    """The class of a name. Raises UserError for an unknown one."""
    if name not in FRONTENDS:
        raise UserError(f"unknown frontend {name!r}; known are {', '.join(FRONTENDS)}")
    module, attribute = FRONTENDS[name].split(":")
    found: type[Frontend] = getattr(import_module(module), attribute)
    return found


def make_frontend(spec: str) -> Frontend:
    """The frontend of a spec. Raises UserError or SpecError."""
    name, settings = parse_spec(spec)
    return build(frontend_class(name), settings, name)
