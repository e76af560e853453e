"""The allocators there are: one explicit list, plus those that installed packages offer.

A package adds its own through the entry-point group `cswap.allocators`; a notebook through `register`.
"""

from __future__ import annotations

from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from allocators.errors import AllocatorError

if TYPE_CHECKING:
    from allocators.base import Allocator

# Modules are imported when an allocator is asked for, so that listing names costs nothing.
BUILT_IN = {
    "zsmalloc": "allocators.zspages.zsmalloc:Zsmalloc",
    "xvmalloc": "allocators.xvmalloc:Xvmalloc",
    "zbud": "allocators.zbud:Zbud",
    "z3fold": "allocators.z3fold:Z3fold",
    "order1": "allocators.zspages.order1:Order1",
    "kmalloc": "allocators.zspages.kmalloc:Kmalloc",
    "coalesce": "allocators.coalesce:Coalesce",
    "ideal": "allocators.ideal:Ideal",
}

_registered: dict[str, type[Allocator]] = {}


def entry_points(**wanted: str) -> Any:
    """Those of installed packages. Imported late: `cswap --help` need not wait for it."""
    from importlib import metadata

    return metadata.entry_points(**wanted)


def register(cls: type[Allocator]) -> type[Allocator]:
    """Make an allocator known by its `name`; also a class decorator. Raises AllocatorError if the name is taken.

    The same class defined again, as when a notebook's cell is run twice, replaces the earlier one.
    """
    earlier = _registered.get(cls.name, cls)
    again = (earlier.__module__, earlier.__qualname__) == (cls.__module__, cls.__qualname__)
    if cls.name in BUILT_IN or not again:
        raise AllocatorError(f"allocator {cls.name!r} is there already; give yours another name")
    _registered[cls.name] = cls
    return cls


def names() -> list[str]:
    """All names, built-in ones first."""
    offered = [point.name for point in entry_points(group="cswap.allocators")]
    return list(dict.fromkeys([*BUILT_IN, *_registered, *offered]))


def allocator_class(name: str) -> type[Allocator]:
    """The class of a name. Raises AllocatorError for an unknown one."""
    if name in _registered:
        return _registered[name]
    if name in BUILT_IN:
        built_in: type[Allocator] = resolve_name(BUILT_IN[name])
        return built_in
    for point in entry_points(group="cswap.allocators", name=name):
        return register(point.load())
    raise AllocatorError(f"unknown allocator {name!r}; known are {', '.join(names())}")
