"""The parameters of a class, read from its constructor: what a spec or a file of settings may say."""

from __future__ import annotations

import inspect
import math
import sys
import types
import typing
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from allocators.configured import written
from sim.units import bytes_of, has_unit, size_text

Value = int | float | bool | str
"""What a setting may be: JSON-safe, without structure."""

_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
KINDS = tuple(_NAMES)  # the narrowest first: what a value is read as when the constructor does not say


BYTES, PAGES = "bytes", "pages"  # units that an annotation may tell: `Annotated[int, "bytes"]` takes 256M too
PAGE = 4096


class Parameter(NamedTuple):
    """One parameter; `kinds` are the types a setting may have, none when it cannot be written as text.

    `unit` is what a number counts, where the annotation tells it.
    """

    name: str
    kinds: tuple[type, ...]
    default: Any
    choices: tuple[Value, ...] = ()
    unit: str = ""

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.default is inspect.Parameter.empty

    def __str__(self) -> str:
        """`name=default`."""
        return f"{self.name} (required)" if self.required else f"{self.name}={written(self.default)}"

    def converted(self, value: Value, what: str) -> Value:
        """The value in the type the constructor wants. Raises SpecError naming `what`."""
        from sim.errors import SpecError, meant

        text = written(value)
        for kind in KINDS:
            read = self._read(kind, text) if kind in self.kinds else None
            if read is not None and (not self.choices or read in self.choices):
                return read
        wrong = f"{what}: {self.name}={text} is wrong"
        if self.numeric and ".." in text:
            raise SpecError(f"{wrong}; give one value here, ranges such as 4..16 only where several specs may be given")
        if self.unit == PAGES and has_unit(text):
            pages = bytes_of(text) or 0
            raise SpecError(f"{wrong}; give a number of pages: {text} is {pages // PAGE} pages of {size_text(PAGE)}")
        wanted = " or ".join(_NAMES[kind] for kind in self.kinds)
        if self.unit == BYTES:
            wanted = "bytes, such as 4096, 64K, 256M or 1.5G"
        if self.choices:
            names = list(map(written, self.choices))
            wanted, wrong = "one of " + ", ".join(names), wrong + meant(text, names)
        raise SpecError(f"{wrong}; give {wanted} (default: {written(self.default)})")

    @property
    def numeric(self) -> bool:
        """Whether it is a number, so that there are ranges of it."""
        return not self.choices and (int in self.kinds or float in self.kinds)

    def _read(self, kind: type, text: str) -> Value | None:
        read = read_value(kind, text)
        if read is None and self.unit == BYTES and kind in (int, float):
            size = bytes_of(text)
            return size if size is None else kind(size)
        return read


def parameters(cls: Callable[..., Any]) -> dict[str, Parameter]:
    """All parameters of a constructor that can be given by name, in its order."""
    try:
        signature, told = inspect.signature(cls, eval_str=True), dict[str, Any]()
    except (NameError, AttributeError, TypeError):  # a name that its module lacks: a base's, or one for type checkers
        signature, told = inspect.signature(cls), _fields(cls)
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    found = (p.replace(annotation=told.get(p.name, p.annotation)) for p in signature.parameters.values())
    return {p.name: _described(p) for p in found if p.kind in named}


def _fields(cls: Callable[..., Any]) -> dict[str, Any]:
    """What the annotations of a class's fields mean in the modules that they are written in, where they mean something.

    A dataclass's constructor has those of its bases as text.
    """
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__) if isinstance(cls, type) else ():
        names = getattr(sys.modules.get(base.__module__), "__dict__", {})
        for name, annotation in vars(base).get("__annotations__", {}).items():
            found.pop(name, None)
            with suppress(NameError, AttributeError, TypeError):
                found[name] = eval(annotation, dict(names)) if isinstance(annotation, str) else annotation
    return found


def read_value(kind: type, text: str) -> Value | None:
    """The text as a value of this type, None if it is none; numbers must be finite."""
    try:
        if kind is bool:
            return {"true": True, "false": False}.get(text)
        if kind is float:
            return float(text) if math.isfinite(float(text)) else None
        return int(text) if kind is int else text
    except ValueError:
        return None


def is_number(value: object) -> bool:
    """Whether a value read from a file of settings is a finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) <= sys.float_info.max  # which math.isfinite cannot say of a larger int


def _described(parameter: inspect.Parameter) -> Parameter:
    annotation, default = parameter.annotation, parameter.default
    if isinstance(annotation, str):  # could not be evaluated
        annotation = {kind.__name__: kind for kind in KINDS}.get(annotation, inspect.Parameter.empty)
    unit = ""
    if typing.get_origin(annotation) is typing.Annotated:
        annotation, *told = typing.get_args(annotation)
        unit = next((word for word in told if word in (BYTES, PAGES)), "")
    if annotation in (inspect.Parameter.empty, Any):
        return Parameter(parameter.name, (str,) if isinstance(default, str) else KINDS, default)
    union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    members = typing.get_args(annotation) if union else (annotation,)
    choices = tuple(v for m in members if typing.get_origin(m) is typing.Literal for v in typing.get_args(m))
    kinds = {*members, *map(type, choices)}
    return Parameter(parameter.name, tuple(kind for kind in KINDS if kind in kinds), default, choices, unit)
