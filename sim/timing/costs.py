"""The prices of the timing stage: read from `costs.toml`, checked, frozen."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sim.errors import UserError
from sim.parameters import is_number
from sim.toml import read_toml

DEFAULT = Path(__file__).with_name("costs.toml")
UNITS = ("ns", "cycles", "ns/KiB", "pages", "requests", "GHz")
KEYS = ("value", "unit", "source", "low", "high")
ASSUMED = "assumed"


@dataclass(frozen=True)
class Price:
    """One price: `value` in `unit`, and where it comes from; `low` and `high` if it is assumed."""

    name: str  # section.key
    value: float
    unit: str
    source: str
    low: float | None = None
    high: float | None = None

    @property
    def assumed(self) -> bool:
        """Whether nobody measured it; then it has a range."""
        return self.source.startswith(ASSUMED)


@dataclass(frozen=True)
class Costs:
    """All prices by name (`section.key`)."""

    prices: Mapping[str, Price]
    path: str = field(default=DEFAULT.name, compare=False)

    def ns(self, name: str) -> float:
        """A price in ns (or ns/KiB), cycles converted by the clock of `cpu.ghz`."""
        price = self.prices[name]
        return price.value / self.prices["cpu.ghz"].value if price.unit == "cycles" else price.value

    def number(self, name: str) -> int:
        """A price that is a count, as a whole number."""
        return int(self.prices[name].value)

    def with_value(self, name: str, value: float) -> Costs:
        """The same prices but one."""
        return replace(self, prices={**self.prices, name: replace(self.prices[name], value=value)})

    def assumed(self) -> list[Price]:
        """The prices that have a range, in the order of the file."""
        return [price for price in self.prices.values() if price.assumed]

    def digest(self) -> str:
        """Digest of names, values and units in hex: equal digests give equal times."""
        text = "\n".join(f"{p.name} {p.value!r} {p.unit}" for p in self.prices.values())
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def describe(self) -> dict[str, Any]:
        """JSON-safe: digest, and every price with its unit and source."""
        prices = {p.name: {"value": p.value, "unit": p.unit, "source": p.source} for p in self.prices.values()}
        return {"file": self.path, "digest": self.digest(), "prices": prices}


def read_costs(path: str | Path | None = None) -> Costs:
    """The shipped prices, those that `path` names replaced by its own. Raises UserError naming file and key.

    A price of a user's file may leave out `unit` (then that of the shipped price) and, unless assumed, its range.
    """
    costs = Costs(_prices(DEFAULT, read_toml(DEFAULT), {}))
    if path is None:
        return costs
    own = _prices(Path(path), read_toml(Path(path)), costs.prices)
    return Costs({**costs.prices, **own}, str(path))


def _prices(path: Path, tables: Mapping[str, Any], known: Mapping[str, Price]) -> dict[str, Price]:
    """The prices of a file; `known` are those there are, none for the shipped file itself."""
    prices = {}
    for section, entries in tables.items():
        for key, entry in entries.items() if isinstance(entries, Mapping) else ((section, entries),):
            name = f"{section}.{key}" if isinstance(entries, Mapping) else section
            if known and name not in known:
                raise UserError(f"{path}: unknown price {name}; known are {', '.join(known)}")
            if not isinstance(entry, Mapping):
                raise UserError(f"{path}: {name}: is no price; write {name} = {{ value = 1, source = 'where from' }}")
            prices[name] = _price(path, name, entry, known.get(name))
    return prices


def _price(path: Path, name: str, entry: Mapping[str, Any], shipped: Price | None) -> Price:
    if unknown := [key for key in entry if key not in KEYS]:
        raise UserError(f"{path}: {name}: unknown key {unknown[0]}; known are {', '.join(KEYS)}")
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
    price = Price(name, entry["value"], unit, str(entry["source"]), entry.get("low"), entry.get("high"))
    if price.assumed and (price.low is None or price.high is None or not price.low <= price.value <= price.high):
        raise UserError(f"{path}: {name}: is assumed; give low and high around the value")
    return price


def _same_kind(unit: str, other: str) -> bool:
    return unit == other or {unit, other} == {"ns", "cycles"}
