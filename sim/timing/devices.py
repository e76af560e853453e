"""Swap devices: how many requests they serve at once, and how long one takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.errors import UserError, meant
from sim.parameters import is_number
from sim.toml import read_toml

PROFILES = Path(__file__).with_name("devices.toml")
KEYS = ("queue_depth", "read", "write", "page_us", "source")
PARAMETERS = {
    "constant": ("mean_us",),
    "exponential": ("mean_us",),
    "lognormal": ("median_us", "p99_us"),
    "uniform": ("low_us", "high_us"),
}
Z99 = 2.3263478740408408  # the 99th percentile of the standard normal distribution

Draws = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Service:
    """A service-time distribution; its parameters in us, in the order of `PARAMETERS`."""

    distribution: str
    values: tuple[float, ...]

    def draw(self, rng: np.random.Generator, n: int) -> Draws:
        """Service times of n requests in ns; float64[n]."""
        first, last = self.values[0], self.values[-1]
        if self.distribution == "constant":
            us = np.full(n, first)
        elif self.distribution == "exponential":
            us = rng.exponential(first, n)
        elif self.distribution == "uniform":
            us = rng.uniform(first, last, n)
        else:
            us = rng.lognormal(math.log(first), math.log(last / first) / Z99, n)
        return us * 1e3

    @property
    def mean_us(self) -> float:
        """The mean of the distribution."""
        first, last = self.values[0], self.values[-1]
        if self.distribution == "uniform":
            return (first + last) / 2
        if self.distribution == "lognormal":
            return first * math.exp((math.log(last / first) / Z99) ** 2 / 2)
        return first


@dataclass(frozen=True)
class Device:
    """A swap device: `queue_depth` requests at once; `page_us` for each further page of a request."""

    name: str
    queue_depth: int
    read: Service
    write: Service
    page_us: float
    source: str

    def describe(self) -> dict[str, Any]:
        """JSON-safe."""
        services = {
            kind: {"distribution": s.distribution, **dict(zip(PARAMETERS[s.distribution], s.values, strict=True))}
            for kind, s in (("read", self.read), ("write", self.write))
        }
        return {"queue_depth": self.queue_depth, **services, "page_us": self.page_us, "source": self.source}


def read_device(spec: str) -> Device:
    """The device of a name, or of `FILE.toml:NAME`. Raises UserError naming file, device and key."""
    file, colon, name = spec.rpartition(":")
    path = Path(file) if colon else PROFILES
    profiles = device_profiles(path)
    if name not in profiles:
        where = f"{path}: " if colon else ""
        raise UserError(
            f"{where}unknown device {name!r}{meant(name, profiles)}; known are {', '.join(profiles)}, or FILE.toml:NAME"
        )
    return profiles[name]


def device_profiles(path: Path = PROFILES) -> dict[str, Device]:
    """All devices of a file. Raises UserError."""
    return {name: _device(path, name, table) for name, table in read_toml(path).items()}


def _device(path: Path, name: str, table: Any) -> Device:
    if not isinstance(table, Mapping) or sorted(table) != sorted(KEYS):
        given = sorted(table) if isinstance(table, Mapping) else []
        wrong = [f"unknown key {key}{meant(key, KEYS)}" for key in given if key not in KEYS]
        wrong += [f"{key} is missing" for key in KEYS if key not in given]
        raise UserError(f"{path}: {name}: {wrong[0]}; a device has {', '.join(KEYS)}")
    depth, page_us = table["queue_depth"], table["page_us"]
    if not isinstance(depth, int) or isinstance(depth, bool) or depth < 1:
        raise UserError(f"{path}: {name}: queue_depth={depth!r} is wrong; give a whole number of 1 or more")
    if not is_number(page_us) or page_us < 0:
        raise UserError(f"{path}: {name}: page_us={page_us!r} is wrong; give a number of 0 or more")
    read, write = (_service(path, f"{name}: {kind}", table[kind]) for kind in ("read", "write"))
    return Device(name, depth, read, write, float(page_us), str(table["source"]))


def _service(path: Path, place: str, table: Any) -> Service:
    given = dict(table) if isinstance(table, Mapping) else {}
    distribution = given.pop("distribution", None)
    if distribution not in PARAMETERS:
        wrong = f"distribution={distribution!r} is unknown{meant(str(distribution), PARAMETERS)}"
        raise UserError(f"{path}: {place}: {wrong}; use {', '.join(PARAMETERS)}")
    names = PARAMETERS[distribution]
    if sorted(given) != sorted(names):
        raise UserError(f"{path}: {place}: {distribution} has {', '.join(names)}; give these and no others")
    values = [given[name] for name in names]
    if not all(is_number(value) and value > 0 for value in values) or values != sorted(values):
        raise UserError(f"{path}: {place}: {', '.join(names)} are wrong; give numbers above 0, the smaller one first")
    return Service(distribution, tuple(float(value) for value in values))
