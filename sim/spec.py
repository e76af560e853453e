"""Specs: `name:key=value,key=value`, and the objects they describe.

The constructor of the class is the only description of its parameters: names, types and defaults are read from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from sim.errors import USER_ERRORS, SpecError, meant
from sim.parameters import Value, parameters, read_value

__all__ = ["SpecError", "Value", "build", "parse_spec"]

T = TypeVar("T")


def parse_spec(text: str) -> tuple[str, dict[str, Value]]:
    """Split a spec into its name and settings. Raises SpecError.

    Values become int, float or bool where that loses nothing, so that `str` gives back what was written: 6.10 stays
    text, because as a number it would be 6.1.
    """
    name, colon, rest = text.partition(":")
    name = name.strip()
    if not name:
        raise SpecError(f"{text!r} has no name; write NAME or NAME:KEY=VALUE,KEY=VALUE")
    settings: dict[str, Value] = {}
    for part in rest.split(",") if colon else ():
        key, _, value = (piece.strip() for piece in part.partition("="))
        if not key or not value:
            raise SpecError(f"{text}: {part!r} is no KEY=VALUE; write NAME:KEY=VALUE,KEY=VALUE")
        if key in settings:
            raise SpecError(f"{text}: {key} is given twice; give it once")
        settings[key] = _lossless(value)
    return name, settings


def build(cls: Callable[..., T], settings: Mapping[str, Value], what: str, **given: object) -> T:
    """Call a constructor with settings, converted to the types of its parameters. Raises SpecError.

    `what` names the class in errors. `given` are arguments of the caller's own: handed over if the constructor takes
    them, and never to be set by a spec. A ValueError of the constructor's becomes a SpecError unless it is one of
    `sim.errors.USER_ERRORS`.
    """
    accepted = parameters(cls)
    known = {name: p for name, p in accepted.items() if name not in given and p.kinds}
    arguments = {name: value for name, value in given.items() if name in accepted}
    for key, value in settings.items():
        if key not in known:
            choices = ", ".join(str(p) for p in known.values())
            remedy = f"known are {choices}" if known else "it has no parameters"
            raise SpecError(f"{what}: unknown parameter {key}{meant(key, known)}; {remedy}")
        arguments[key] = known[key].converted(value, what)
    missing = [p.name for p in known.values() if p.required and p.name not in arguments]
    if missing:
        raise SpecError(f"{what}: needs {', '.join(missing)}; write {what}:{missing[0]}=VALUE")
    try:
        return cls(**arguments)
    except ValueError as error:
        if isinstance(error, USER_ERRORS):
            raise
        raise SpecError(f"{what}: {error}") from error


def _lossless(text: str) -> Value:
    for kind in (bool, int, float):
        value = read_value(kind, text)
        if value is not None and (kind is bool or str(value) == text):
            return value
    return text
