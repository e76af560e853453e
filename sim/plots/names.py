"""How allocators and codecs are called and ranked wherever they are shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def distinguished(specs: Iterable[Any]) -> dict[Any, str]:
    """A name for each spec: its family where that is the only one of it, else with `settings_of` it."""
    found = settings_of(specs)
    return {spec: f"{family_of(spec)} {settings}".strip() for spec, settings in found.items()}


def family_of(spec: Any) -> str:
    """The name before the settings."""
    return str(spec).partition(":")[0]


def settings_of(specs: Iterable[Any]) -> dict[Any, str]:
    """What tells each spec from others of its family, without `era=`: what it sets; empty where it is the only one.

    What all set alike is left out; one that sets nothing else is told by its default of what the first other sets.
    """
    specs = list(dict.fromkeys(specs))
    found = {}
    for spec in specs:
        family = [_settings(other) for other in specs if family_of(other) == family_of(spec)]
        differ = [key for other in family for key in other if any(some.get(key) != other[key] for some in family)]
        told = {key: value for key, value in _settings(spec).items() if key in differ}
        if differ and not told and (default := _default(spec, differ[0])):
            told = {differ[0]: default}
        found[spec] = ",".join(value if key == "era" else f"{key}={value}" for key, value in told.items())
    return found


def _settings(spec: Any) -> dict[str, str]:
    """What follows the name, by key."""
    return dict(part.partition("=")[::2] for part in str(spec).partition(":")[2].split(",") if part)


def _default(spec: Any, key: str) -> str:
    """What a spec leaves a parameter at, if that is known; where the default is None, what the object has."""
    from allocators.configured import written
    from sim.parameters import parameters
    from sim.plugins import ALLOCATORS, COMPRESSORS, FRONTENDS

    name = family_of(spec)
    for registry in (ALLOCATORS, COMPRESSORS, FRONTENDS):
        if name in registry.names() and (parameter := parameters(registry.find(name)).get(key)):
            default = None if parameter.required else parameter.default
            if default is None and not parameter.required:
                default = getattr(registry.make(str(spec)), key, None)
            return "" if default is None else written(default)
    return ""


def geometric_mean(values: pd.Series[float]) -> float:
    """The mean by which densities are compared: twice here and half there are even."""
    return float(np.exp(np.log(values).mean()))
