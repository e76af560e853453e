"""Content-free traces: compressed sizes drawn from a distribution."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from workloads.generators.base import Bytes, Generator, MeanBytes, churn, with_pages
from workloads.traces.events import OUT
from workloads.traces.sizes import GIVEN, Sizes
from workloads.traces.trace import Trace


@dataclass(frozen=True, kw_only=True)
class SizeGenerator(Generator):
    """Draws a size in 1..page_size for each page-out; equal sizes share one unique page."""

    @abstractmethod
    def draw(self, n: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
        """Return n sizes in bytes, float64[n]; they are rounded and clipped to 1..page_size."""

    def trace(self) -> Trace:
        """Generate the trace; its sizes are those of the pseudo codec `given`."""
        rng = np.random.default_rng(self.seed)
        events = churn(self.events, self.slots, rng)
        drawn = self.draw(int((events.kind == OUT).sum()), rng)
        size, page = np.unique(np.clip(np.rint(drawn), 1, self.page_size), return_inverse=True)
        sizes = {GIVEN: Sizes.given(size)}
        return Trace.from_arrays(self.name, with_pages(events, page), None, sizes, self.source, self.page_size)


@dataclass(frozen=True, kw_only=True)
class Uniform(SizeGenerator):
    """Every size from `low` to `high` bytes equally likely."""

    name: ClassVar[str] = "uniform"
    low: Bytes = 1
    high: Bytes = 4096

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require("low", 1 <= self.low <= self.high, "give 1 <= low <= high")
        self._require("high", self.high <= self.page_size, "give at most page_size")

    def draw(self, n: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
        """Draw whole numbers."""
        return rng.integers(self.low, self.high, n, endpoint=True).astype(np.float64)


@dataclass(frozen=True, kw_only=True)
class Bell(SizeGenerator):
    """A normal distribution of `mean` and standard deviation `spread` bytes."""

    name: ClassVar[str] = "bell"
    mean: MeanBytes = 2048.0
    spread: MeanBytes = 512.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require("mean", 1 <= self.mean <= self.page_size, "give 1 to page_size")
        self._require("spread", self.spread >= 0, "give 0 or more")

    def draw(self, n: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
        """Draw from the normal distribution."""
        return rng.normal(self.mean, self.spread, n)


@dataclass(frozen=True, kw_only=True)
class Bimodal(SizeGenerator):
    """Two bells: `share` of the pages around `low` bytes, the others around `high`, both `spread` wide."""

    name: ClassVar[str] = "bimodal"
    low: MeanBytes = 1024.0
    high: MeanBytes = 3072.0
    share: float = 0.5
    spread: MeanBytes = 256.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require("low", 1 <= self.low <= self.high, "give 1 <= low <= high")
        self._require("high", self.high <= self.page_size, "give at most page_size")
        self._require("share", 0 <= self.share <= 1, "give 0 to 1")
        self._require("spread", self.spread >= 0, "give 0 or more")

    def draw(self, n: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
        """Draw the bell, then from it."""
        return rng.normal(np.where(rng.random(n) < self.share, self.low, self.high), self.spread)
