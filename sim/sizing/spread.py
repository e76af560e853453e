"""How far apart processes are that each took a codec's times: kept with the sizes, as texts of their meta."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from workloads.traces.sizes import SPREAD, SPREAD_TEXTS

PARTS = ("compress", "decompress")


class Spread(NamedTuple):
    """The lowest and the highest of the medians that `processes` found, us a page-out."""

    processes: int
    compress: tuple[float, float]
    decompress: tuple[float, float]

    @classmethod
    def between(cls, medians_us: npt.NDArray[np.float64]) -> Self:
        """Of medians by process and part, float64[processes, 2]."""
        low, high = medians_us.min(axis=0).tolist(), medians_us.max(axis=0).tolist()
        return cls(len(medians_us), (low[0], high[0]), (low[1], high[1]))

    @classmethod
    def of(cls, meta: Mapping[str, str]) -> Self | None:
        """What the meta of sizes tells; None for times that were taken once, and for anything but `texts`."""
        texts = [meta.get(key, "") for key in SPREAD]
        if not all(words.fullmatch(text) for words, text in zip(SPREAD_TEXTS, texts, strict=True)):
            return None
        (c_low, c_high), (d_low, d_high) = (map(float, text.split()) for text in texts[1:])
        return cls(int(texts[0]), (c_low, c_high), (d_low, d_high))

    def texts(self) -> list[str]:
        """The texts under the keys `SPREAD`."""
        return [str(self.processes), *(f"{low:.3f} {high:.3f}" for low, high in self[1:])]

    def row(self) -> dict[str, Any]:
        """JSON-safe."""
        return {"processes": self.processes} | {f"{part}_p50_us": list(self.part(part)) for part in PARTS}

    def part(self, name: str) -> tuple[float, float]:
        """Low and high of one part."""
        found: tuple[float, float] = getattr(self, name)
        return found

    def __str__(self) -> str:
        """In words."""
        told = (f"{part} {low:.2f} to {high:.2f}" for part, (low, high) in zip(PARTS, self[1:], strict=True))
        return f"{in_processes(self.processes)}, median us a page-out: {', '.join(told)}"


def in_processes(number: int) -> str:
    """How many, in words."""
    return f"{number} process{'es' * (number != 1)}"


def as_meta(texts: Sequence[str]) -> dict[str, str]:
    """The texts with their keys."""
    return dict(zip(SPREAD, map(str, texts), strict=True))
