"""Which sources can reach compiled code, and their digest, under which it is cached.

Compiled code has the constants of all modules it was made from baked in. They are found from the function that was
compiled, the classes of the states it was compiled for and the rules registered for these, by following the import
statements in the files: through cswap's own packages, a plug-in's, and modules that are installed nowhere.
"""

from __future__ import annotations

import ast
import hashlib
import site
import sys
import sysconfig
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

OWN = ("allocators", "sim", "workloads")

_BEGUN = time.time()
_reached: dict[type, tuple[Callable[..., Any], ...]] = {}  # the rules of each class of state

Module = tuple[str, Path]  # name and file


def reach(state: type, functions: Iterable[Callable[..., Any]]) -> None:
    """Note that code compiled for this class of state may hold these functions."""
    _reached[state] = tuple(functions)


def digest(function: Callable[..., Any], types: Iterable[Any]) -> str | None:
    """The digest of all that reaches a function compiled for numba types; None if that is unknown."""
    modules = reaching(function, types)
    if not all(_as_imported(file) for _, file in modules):
        return None
    contents = (f"{module[0]} {_contents(module)[0]}\n" for module in sorted(modules))
    return hashlib.blake2b("".join(contents).encode(), digest_size=16).hexdigest()


def _as_imported(file: Path) -> bool:
    """Whether a source is there, and has not been edited since, which may be after it was imported."""
    return file.is_file() and file.stat().st_mtime <= _BEGUN


def reaching(function: Callable[..., Any], types: Iterable[Any]) -> set[Module]:
    """The modules that reach a function compiled for numba types."""
    pending = list(_starts(function, types))
    tops = frozenset([*OWN, *(name.partition(".")[0] for name, _ in pending)])
    found: set[Module] = set()
    while pending:
        module = pending.pop()
        if module not in found:
            found.add(module)
            pending += [one for name in _contents(module)[1] if (one := _located(name, tops))]
    return found


def _starts(function: Callable[..., Any], types: Iterable[Any]) -> Iterator[Module]:
    yield function.__module__, Path(function.__code__.co_filename)
    for cell in function.__closure__ or ():
        if callable(cell.cell_contents):
            yield from _starts(cell.cell_contents, ())
    for kind in types:
        cls = getattr(kind, "instance_class", None)
        if cls is not None:
            # A type of a script or of a notebook is another one in each process: as if it were in no file.
            module = sys.modules.get(cls.__module__) if cls.__module__ != "__main__" else None
            yield cls.__module__, Path(getattr(module, "__file__", None) or "")
            for rule in _reached.get(cls, ()):
                yield from _starts(rule, ())
            yield from _starts(function, kind.types)


@cache
def _contents(module: Module) -> tuple[str, frozenset[str]]:
    """The digest of a source, and the names of modules in its import statements."""
    name, file = module
    source = file.read_bytes() if file.is_file() else b""
    tree = ast.parse(source)
    # What a package hands out by `__getattr__` stands in its imports for type checkers; others never run those.
    lazy = any(isinstance(node, ast.FunctionDef) and node.name == "__getattr__" for node in tree.body)
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    return hashlib.blake2b(source, digest_size=16).hexdigest(), frozenset(_imports(tree, package, lazy))


def _imports(tree: ast.Module, package: str, lazy: bool) -> Iterator[str]:
    pending: list[Any] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and not lazy and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            pending += node.orelse
        else:
            for field in ("body", "orelse", "finalbody", "handlers", "cases"):
                pending += getattr(node, field, ())


def _located(name: str, tops: frozenset[str]) -> Module | None:
    """A module that is to be looked at: of a package in `tops`, or installed nowhere; None for all others."""
    top = name.partition(".")[0]
    module = sys.modules.get(top)  # what is not imported has not reached anything
    inside = next(iter(getattr(module, "__path__", ())), None) or getattr(module, "__file__", None)
    if inside is None:
        return None
    folder = Path(inside).parent
    return _file(folder, name) if top in tops or not _installed(folder) else None


@cache
def _file(folder: Path, name: str) -> Module | None:
    place = folder.joinpath(*name.split("."))
    files = (place.with_suffix(".py"), place / "__init__.py")
    return next(((name, file) for file in files if file.is_file()), None)


@cache
def _installed(folder: Path) -> bool:
    places = [*sysconfig.get_paths().values(), *site.getsitepackages(), site.getusersitepackages()]
    return any(folder.is_relative_to(place) for place in places)
