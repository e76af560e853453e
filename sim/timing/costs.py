"""The costs of the timing stage: read from `costs.toml`, checked, frozen."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sim.errors import UserError, meant
from sim.parameters import is_number
from sim.toml import read_toml

DEFAULT = Path(__file__).with_name("costs.toml")
UNITS = ("ns", "cycles", "ns/KiB", "lines", "ratio", "pages", "requests", "GHz")
KEYS = ("value", "unit", "source", "low", "high")
ASSUMED = "assumed"


@dataclass(frozen=True)
class Cost:
    """A `value` in `unit` and its source; if assumed, with the range from `low` to `high`."""

    name: str  # section.key
    value: float
    unit: str
    source: str
    low: float | None = None
    high: float | None = None

    @property
    def assumed(self) -> bool:
        """Whether it was never measured; then it has a range."""
        return self.source.startswith(ASSUMED)


@dataclass(frozen=True)
class Costs:
    """All costs by name (`section.key`)."""

    entries: Mapping[str, Cost]
    path: str = field(default=DEFAULT.name, compare=False)

    def ns(self, name: str) -> float:
        """A cost in ns (or ns/KiB), cycles converted by the clock of `cpu.ghz`."""
        cost = self.entries[name]
        return cost.value / self.entries["cpu.ghz"].value if cost.unit == "cycles" else cost.value

    def number(self, name: str) -> int:
        """A cost that is a count, as an int."""
        return int(self.entries[name].value)

    def with_value(self, name: str, value: float) -> Costs:
        """A copy with one cost changed."""
        return replace(self, entries={**self.entries, name: replace(self.entries[name], value=value)})

    def assumed(self) -> list[Cost]:
        """The costs that have a range, in the order of the file."""
        return [cost for cost in self.entries.values() if cost.assumed]

    def digest(self) -> str:
        """Digest of names, values and units in hex: equal digests give equal times."""
        text = "\n".join(f"{p.name} {p.value!r} {p.unit}" for p in self.entries.values())
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def describe(self) -> dict[str, Any]:
        """JSON-safe: digest, and every cost with its unit and source."""
        costs = {p.name: {"value": p.value, "unit": p.unit, "source": p.source} for p in self.entries.values()}
        return {"file": self.path, "digest": self.digest(), "prices": costs}


def read_costs(path: str | Path | None = None) -> Costs:
    """The default costs, overridden by those in `path`. Raises UserError naming file and key.

    There, a cost may leave out `unit` (then that of the default) and, unless assumed, its range.
    """
    costs = Costs(_costs(DEFAULT, read_toml(DEFAULT), {}))
    if path is None:
        return costs
    own = _costs(Path(path), read_toml(Path(path)), costs.entries)
    return Costs({**costs.entries, **own}, str(path))


def _costs(path: Path, tables: Mapping[str, Any], known: Mapping[str, Cost]) -> dict[str, Cost]:
    """The costs of a file; `known` are the defaults, empty when these are read."""
    costs = {}
    for section, entries in tables.items():
        for key, entry in entries.items() if isinstance(entries, Mapping) else ((section, entries),):
            name = f"{section}.{key}" if isinstance(entries, Mapping) else section
            if known and name not in known:
                raise UserError(f"{path}: unknown cost {name}{meant(name, known)}; known are {', '.join(known)}")
            if not isinstance(entry, Mapping):
                raise UserError(f"{path}: {name}: is not a cost; write {name} = {{ value = 1, source = 'where from' }}")
            costs[name] = _cost(path, name, entry, known.get(name))
    return costs


def _cost(path: Path, name: str, entry: Mapping[str, Any], shipped: Cost | None) -> Cost:
    if unknown := [key for key in entry if key not in KEYS]:
        raise UserError(
            f"{path}: {name}: unknown key {unknown[0]}{meant(unknown[0], KEYS)}; known are {', '.join(KEYS)}"
        )
    if missing := [key for key in ("value", "source") if key not in entry]:
        raise UserError(f"{path}: {name}: {missing[0]} is missing; give value and source")
    for key in ("value", "low", "high"):
        if key in entry and not (is_number(entry[key]) and entry[key] >= 0):
            raise UserError(f"{path}: {name}: {key}={entry[key]!r} is wrong; give a number of 0 or more")
    unit = entry.get("unit", shipped.unit if shipped else None)
    if unit not in UNITS or (shipped and not _same_kind(unit, shipped.unit)):
        raise UserError(f"{path}: {name}: unit={unit!r} is wrong; give {shipped.unit if shipped else UNITS}")
    if unit == "GHz" and not entry["value"]:
        raise UserError(f"{path}: {name}: value=0 is wrong; give more than 0 GHz")
    cost = Cost(name, entry["value"], unit, str(entry["source"]), entry.get("low"), entry.get("high"))
    if cost.assumed and (cost.low is None or cost.high is None or not cost.low <= cost.value <= cost.high):
        raise UserError(f"{path}: {name}: is assumed; give low and high around the value")
    return cost


def _same_kind(unit: str, other: str) -> bool:
    return unit == other or {unit, other} == {"ns", "cycles"}
