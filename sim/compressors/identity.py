"""The code that a compressor runs: sizes kept of it are invalid once it is edited."""

from __future__ import annotations

import hashlib
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

OURS = {"sim", "allocators", "workloads"}
PLAIN = str | bytes | int | float | complex | None
CODE: Any = (FunctionType, type, ModuleType, property, staticmethod, classmethod, partial)


def identity(model: object) -> str:
    """Digest in hex of the code behind a compressor or another model: of our own sources, and of a user's classes.

    Of a user's class it covers the methods with what they close over, the functions and classes that they name, and the
    source files of all these, or, in a notebook, the values that they name. Libraries are covered by
    `Compressor.version`.
    """
    code = _Code(type(model).__module__)
    code.note(_our_sources())
    code.add(type(model).__mro__)
    return code.digest.hexdigest()


@cache
def _our_sources() -> str:
    """Digest of all in this package that decides a size: codecs, compiled code, and what sizes pages with them."""
    digest = hashlib.blake2b(digest_size=16)
    here = Path(__file__).parent
    for path in [*sorted(here.rglob("*.py")), here.parent / "sizing" / "sizing.py"]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


class _Code:
    """A digest that follows a user's code to what it uses."""

    def __init__(self, module: str) -> None:
        self.digest = hashlib.blake2b(digest_size=16)
        self._package = module.partition(".")[0]
        self._seen: set[object] = set()  # ids of functions and classes, names of modules

    def note(self, text: str | bytes) -> None:
        data = text if isinstance(text, bytes) else text.encode(errors="replace")
        self.digest.update(len(data).to_bytes(8, "little") + data)

    def add(self, value: Any) -> None:
        """Anything a name can stand for; what is not known here counts by its type alone."""
        self.note(type(value).__name__)
        if isinstance(value, PLAIN):
            self.note(repr(value))
        elif isinstance(value, frozenset | set):
            self.note(repr(sorted(map(repr, value))))
        elif isinstance(value, FunctionType | type):
            self._defined(value)
        elif isinstance(value, ModuleType):
            self._module(value.__name__)
        else:
            for part in _parts(value):
                self.add(part)

    def _defined(self, value: FunctionType | type) -> None:
        """A function or a class: its name, and what is in it if a user wrote it."""
        module = str(value.__module__)
        self.note(f"{module}.{value.__qualname__}")
        if id(value) in self._seen or not self._theirs(module):
            return
        self._seen.add(id(value))
        self._module(module)
        if isinstance(value, type):
            named = {name: part for name, part in vars(value).items() if not name.startswith("_abc")}
        else:
            self.add([value.__code__, value.__defaults__, value.__kwdefaults__, value.__closure__])
            here = value.__globals__
            named = {name: here[name] for name in _names(value.__code__) if name in here}
        wanted = CODE if _file(module) else (*CODE, PLAIN, tuple)
        for name, part in named.items():
            if isinstance(part, wanted) or hasattr(part, "__wrapped__") or hasattr(part, "py_func"):
                self.add((name, part))

    def _module(self, name: str) -> None:
        self.note(name)
        file = _file(name)
        if file and name not in self._seen and self._theirs(name):
            self._seen.add(name)
            with suppress(OSError):
                self.note(file.read_bytes())

    def _theirs(self, module: str) -> bool:
        """Whether a user wrote it: not ours, and neither Python's nor an installed library, other than their own."""
        package = module.partition(".")[0]
        if package in OURS or package == self._package:
            return package not in OURS
        file, places = _file(module), (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
        installed = file is not None and any(file.is_relative_to(place) for place in places)
        return package not in sys.stdlib_module_names and not installed


def _parts(value: Any) -> Iterable[Any]:
    """What else a value is made of, as far as it can be code."""
    match value:
        case tuple() | list():
            return value
        case dict():
            return [part for pair in value.items() for part in pair]
        case CodeType():
            return value.co_code, value.co_names, value.co_consts
        case staticmethod() | classmethod():
            return (value.__func__,)
        case property():
            return value.fget, value.fset
        case partial():
            return value.func, value.args, value.keywords
    if hasattr(value, "cell_contents"):  # of a closure
        return (value.cell_contents,)
    if inner := getattr(value, "__wrapped__", None) or getattr(value, "py_func", None):  # functools, numba
        return (inner,)
    return (value.tobytes(),) if hasattr(value, "tobytes") else ()


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _names(part)


def _file(module: str) -> Path | None:
    name = getattr(sys.modules.get(module), "__file__", None)
    return Path(name) if name else None
