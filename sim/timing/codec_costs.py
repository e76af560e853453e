"""Published codec times of another machine, which stand in for those of this one: a TOML file, checked, frozen.

A published figure is a mean over some data. Here it becomes the mean over the page-outs of a trace, for decompression
too. Those of same-filled pages are left out, which no codec sees. The differences between pages stay: each page's own
time is scaled.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import USER_ERRORS, UserError, meant, one_line
from sim.parameters import PAGE, is_number
from sim.plugins import COMPRESSORS
from sim.toml import read_toml
from workloads.traces.sizes import GIVEN

if TYPE_CHECKING:
    import numpy.typing as npt

    from workloads.traces.sizes import Sizes

PARTS = ("compress", "decompress")
KEYS = (*PARTS, "source")
PUBLISHED = "published"  # in the meta of sizes: the parts whose times are published ones
NS, MB = "ns_per_page", "mb_per_s"
EXAMPLE = f"{{ {MB} = 18 }} or {{ {NS} = 227_000 }}, or a range [18, 52]"
FASTEST, SLOWEST = 1.0, 1e10  # ns a page of 4,096 bytes


@dataclass(frozen=True)
class CodecCost:
    """One part of a codec: `low` and `high` in `unit`, equal unless it is a range; pages of 4,096 bytes, 10^6 bytes."""

    codec: str
    part: str
    unit: str
    low: float
    high: float

    @property
    def name(self) -> str:
        """As the frame `sensitivity` calls it."""
        return f"{self.codec} {self.part} {self.unit}"

    @property
    def value(self) -> float:
        """What it is taken for: the geometric mean of the range."""
        return self.low if self.low == self.high else math.sqrt(self.low * self.high)

    def at(self, value: float) -> CodecCost:
        """The same at one value."""
        return replace(self, low=value, high=value)

    def ns(self, page_size: int) -> float:
        """Nanoseconds that a page of so many bytes takes."""
        return self.value * page_size / PAGE if self.unit == NS else page_size / self.value * 1e3


@dataclass(frozen=True)
class CodecCosts:
    """What a file says: parts by codec, and the source of each codec."""

    path: str
    entries: Mapping[str, Mapping[str, CodecCost]]
    sources: Mapping[str, str] = field(compare=False)

    def lacks(self, codec: str) -> list[str]:
        """The parts of a codec that keep their times."""
        return [part for part in PARTS if part not in self.entries.get(codec, {})]

    def varied(self, codecs: Iterator[str] | list[str]) -> Iterator[tuple[CodecCost, CodecCosts]]:
        """For each range of these codecs its two ends, and the costs with it."""
        for codec in dict.fromkeys(codecs):
            for part, cost in self.entries.get(codec, {}).items():
                for value in (cost.low, cost.high) if cost.low < cost.high else ():
                    end = cost.at(value)
                    mine = {**self.entries[codec], part: end}
                    yield end, replace(self, entries={**self.entries, codec: mine})

    def scaled(self, sizes: Sizes, used: npt.NDArray[np.int64], page_size: int, cpu_scale: float) -> Sizes:
        """Sizes whose times have the published means over `used`, the page-outs of each page.

        They are divided by `cpu_scale`, by which the timing stage multiplies all CPU times: the published ones are
        those of the other machine already. Where no page has a time, each gets the mean.
        """
        weights = np.where(sizes.same_filled, 0, np.pad(used, (0, len(sizes) - len(used))))  # units are not in `used`
        columns = {}
        for part, cost in self.entries.get(sizes.meta["codec"], {}).items():
            own, mean = getattr(sizes, f"{part}_ns").astype(np.float64), cost.ns(page_size) / cpu_scale
            before = np.average(own, weights=weights) if weights.any() else own.mean() if len(own) else 0.0
            columns[f"{part}_ns"] = (own * (mean / before) if before else own * 0 + mean).round().astype(np.int64)
        published = " ".join(part for part in PARTS if f"{part}_ns" in columns)
        return replace(sizes, **columns, meta=sizes.meta | ({PUBLISHED: published} if published else {}))

    def describe(self) -> dict[str, Any]:
        """JSON-safe: the file, a digest of its figures, and each codec's, with their source."""
        codecs = {
            codec: {p: {c.unit: c.value if c.low == c.high else [c.low, c.high]} for p, c in parts.items()}
            | {"source": self.sources[codec]}
            for codec, parts in self.entries.items()
        }
        text = "\n".join(f"{c.name} {c.low!r} {c.high!r}" for parts in self.entries.values() for c in parts.values())
        digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
        return {"file": self.path, "digest": digest, "codecs": codecs}


def read_codec_costs(path: str) -> CodecCosts:
    """Read a file: a table per codec's spec. Raises UserError naming file, codec and key; OSError."""
    entries: dict[str, dict[str, CodecCost]] = {}
    sources = {}
    for key, table in read_toml(Path(path)).items():
        if not isinstance(table, Mapping):
            raise UserError(f'{path}: {key}: is not a table; write ["zstd:level=3"], with compress = {EXAMPLE}')
        codec = _spec(path, key)
        if codec in entries:
            raise UserError(f"{path}: [{key}]: {codec} is there twice; remove one")
        if unknown := [name for name in table if name not in KEYS]:
            wrong = f"unknown key {unknown[0]}{meant(unknown[0], KEYS)}"
            raise UserError(f"{path}: [{key}]: {wrong}; known are {', '.join(KEYS)}")
        source = table.get("source")
        if not isinstance(source, str) or not source.strip():
            raise UserError(f"{path}: [{key}]: source is missing; say where the figures come from: source = 'where'")
        entries[codec] = {p: _cost(f"{path}: [{key}]: {p}", codec, p, table[p]) for p in PARTS if p in table}
        if not entries[codec]:
            raise UserError(f"{path}: [{key}]: has no times; give compress or decompress = {EXAMPLE}")
        sources[codec] = source
    if not entries:
        raise UserError(f'{path}: has no codec; write a table, such as ["zstd:level=3"], with compress = {EXAMPLE}')
    return CodecCosts(path, entries, sources)


def _spec(path: str, key: str) -> str:
    if key == GIVEN:
        return key
    try:
        return COMPRESSORS.make(key).spec
    except USER_ERRORS as error:
        raise UserError(f"{path}: [{key}]: {one_line(error)}") from error


def _cost(where: str, codec: str, part: str, given: Any) -> CodecCost:
    if not isinstance(given, Mapping) or len(given) != 1 or (unit := next(iter(given))) not in (NS, MB):
        raise UserError(f"{where}={given!r} is wrong; give one of {NS} and {MB}: {EXAMPLE}")
    value = given[unit]
    ends = value if isinstance(value, list) else [value, value]
    if len(ends) != 2 or not all(is_number(end) and end > 0 for end in ends):
        raise UserError(f"{where}: {unit}={value!r} is wrong; give a number above 0, or a range of two, [18, 52]")
    if ends[0] > ends[1]:
        raise UserError(f"{where}: {unit}={value!r} is wrong; give the smaller number first")
    cost = CodecCost(codec, part, unit, float(ends[0]), float(ends[1]))
    if not all(FASTEST <= cost.at(end).ns(PAGE) <= SLOWEST for end in (cost.low, cost.high)):
        raise UserError(f"{where}: {unit}={value!r} is out of range; a page of 4,096 bytes takes 1 ns to 10 s")
    return cost
