"""Fields of an experiment that hold one value or several."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any

from sim.errors import UserError, meant

Expand = Callable[[Any], Iterable[Any]]


def _as_it_is(item: Any) -> Iterable[Any]:
    return (item,)


def several(owner: Any, name: str, where: str, expand: Expand = _as_it_is) -> tuple[Any, ...]:
    """Make a field of a frozen object a tuple of its distinct values, in their order; paths become texts.

    `expand` gives all values that one stands for. Raises UserError if empty.
    """
    value = getattr(owner, name)
    if isinstance(value, Mapping):
        raise UserError(f"{where}: {name}={dict(value)!r}; give a value or a list of them")
    values = (value,) if isinstance(value, str) or not hasattr(value, "__iter__") else tuple(value)
    values = tuple(os.fspath(item) if isinstance(item, os.PathLike) else item for item in values)
    values = tuple(one for item in values for one in expand(item))
    if not values:
        raise UserError(f"{where}: {name} is empty; give at least one")
    try:
        distinct = tuple(dict.fromkeys(values))
    except TypeError as error:  # a list in a list
        raise UserError(f"{where}: {name} holds {value!r}; give values, not lists of them") from error
    object.__setattr__(owner, name, distinct)
    return distinct


def check_keys(cls: type[Any], given: Mapping[str, Any], where: str) -> None:
    """Raise UserError for a key that is no field."""
    known = [field.name for field in fields(cls)]
    for key in given:
        if key not in known:
            raise UserError(f"{where}: unknown key {key}{meant(key, known)}; known are {', '.join(known)}")


def described(value: Any) -> Any:
    """A field in JSON-safe form: objects by their specs, traces by their names."""
    if isinstance(value, tuple):
        return [described(item) for item in value]
    if value is None or isinstance(value, str | int | float):
        return value
    return getattr(value, "spec", None) or value.name
