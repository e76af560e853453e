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
    """What tells each spec from others of its family, without `era=`; empty where it is the only one.

    Where others set what this one does not, that is its default.
    """
    specs = list(dict.fromkeys(specs))
    settings = {spec: dict(part.partition("=")[::2] for part in _parts(spec)) for spec in specs}
    found = {}
    for spec in specs:
        family = [other for other in specs if family_of(other) == family_of(spec)]
        keys = dict.fromkeys(key for other in family for key in settings[other])
        told = {key: settings[spec].get(key) or _default(spec, key) for key in keys} if len(family) > 1 else {}
        short = (value if key == "era" else f"{key}={value}" for key, value in told.items() if value)
        found[spec] = ",".join(short)
    return found


def _parts(spec: Any) -> list[str]:
    return [part for part in str(spec).partition(":")[2].split(",") if part]


def _default(spec: Any, key: str) -> str:
    """The default of a parameter of an allocator or codec, if it is known."""
    from sim.parameters import parameters
    from sim.plugins import ALLOCATORS, COMPRESSORS

    for registry in (ALLOCATORS, COMPRESSORS):
        if family_of(spec) in registry.names():
            parameter = parameters(registry.find(family_of(spec))).get(key)
            return "" if parameter is None or parameter.required else str(parameter.default)
    return ""


def geometric_mean(values: pd.Series[float]) -> float:
    """The mean by which densities are compared: twice here and half there are even."""
    return float(np.exp(np.log(values).mean()))
