"""The registry of synthetic workloads."""

from __future__ import annotations

from workloads.generators.base import Generator
from workloads.generators.pages import RandomPages
from workloads.generators.sizes import Bell, Bimodal, Uniform

__all__ = ["GENERATORS", "Bell", "Bimodal", "Generator", "RandomPages", "Uniform", "by_name"]


def by_name(*classes: type[Generator]) -> dict[str, type[Generator]]:
    """Return the classes by their names; raises ValueError when two have the same."""
    registry: dict[str, type[Generator]] = {}
    for cls in classes:
        if cls.name in registry:
            raise ValueError(f"two generators are called {cls.name}: {registry[cls.name].__name__}, {cls.__name__}")
        registry[cls.name] = cls
    return registry


GENERATORS = by_name(Uniform, Bell, Bimodal, RandomPages)
