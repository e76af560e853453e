"""Specs: `name:key=value,key=value`, and the objects they describe.

The constructor of the class is the only description of its parameters: names, types and defaults are read from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import product
from typing import TypeVar

from allocators.configured import written
from sim.errors import USER_ERRORS, SpecError, meant
from sim.parameters import BYTES, Parameter, Value, parameters, read_value
from sim.units import bytes_of, has_unit

__all__ = ["MOST", "SpecError", "Value", "build", "expanded", "has_range", "parse_spec", "values_of"]

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


RANGE = re.compile(r"(-?[0-9][^.:]*(?:\.[0-9]+[^.:]*)?)\.\.(-?[0-9][^.:]*(?:\.[0-9]+[^.:]*)?)(?::(.+))?")
MOST = 1000  # specs of one with ranges


def has_range(text: str) -> bool:
    """Whether a spec may have a range among its settings."""
    return ".." in text and any(isinstance(v, str) and RANGE.fullmatch(v) for v in parse_spec(text)[1].values())


def expanded(cls: Callable[..., object], text: str) -> list[str]:
    """All specs of one in which numbers may be ranges: `chain=4..16`, both ends included; `0.2..0.8:0.2` with a step.

    Of several ranges every combination, the last one fastest. Raises SpecError.
    """
    name, settings = parse_spec(text)
    known = parameters(cls)
    choices = [list(values_of(name, key, value, known.get(key))) for key, value in settings.items()]
    count = 1
    for values in choices:
        count *= len(values)
        if count > MOST:
            raise SpecError(f"{text}: is more than {MOST:,} specs; give a shorter range, or one with a step: 4..16:4")
    combinations = (zip(settings, values, strict=True) for values in product(*choices))
    return [f"{name}:" + ",".join(f"{key}={value}" for key, value in one) for one in combinations]


def values_of(name: str, key: str, value: Value, parameter: Parameter | None) -> Iterator[str]:
    """A setting's values: one, or those of a range, at most one more than `MOST`."""
    found = RANGE.fullmatch(value) if isinstance(value, str) else None
    if found is None or parameter is None or not parameter.kinds:
        yield written(value)
        return
    wrong = f"{name}: {key}={value}"
    if not parameter.numeric:
        raise SpecError(f"{wrong}: there are ranges of numbers only; give each {key} in a spec of its own")
    first, last = (_number(parameter, end) for end in found.group(1, 2))
    step = Decimal(1) if found[3] is None else _number(parameter, found[3])
    if first is None or last is None or step is None or step <= 0 or last < first:
        raise SpecError(f"{wrong} is no range; write FIRST..LAST or FIRST..LAST:STEP, the smaller one first")
    whole = first == int(first) and last == int(last)
    if found[3] is None and (not whole or any(map(has_unit, found.group(1, 2)))):
        raise SpecError(f"{wrong} needs a step; write {key}={value}:STEP")
    for i in range(MOST + 1):
        if (at := first + i * step) > last:
            return
        yield f"{at:f}"


def _number(parameter: Parameter, text: str) -> Decimal | None:
    size = bytes_of(text) if parameter.unit == BYTES else None
    if size is not None:
        return Decimal(size)
    return Decimal(text) if re.fullmatch(r"-?[0-9]{1,19}(?:\.[0-9]{1,19})?", text, re.ASCII) else None


def _lossless(text: str) -> Value:
    for kind in (bool, int, float):
        value = read_value(kind, text)
        if value is not None and (kind is bool or str(value) == text):
            return value
    return text
