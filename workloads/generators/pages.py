"""Pages of random content that compress to an aimed ratio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from workloads.generators.base import Generator, churn, with_pages
from workloads.traces.events import OUT
from workloads.traces.trace import Trace

CHUNK = 256
COPY_COST = 5  # bytes an LZ codec spends on one chunk besides its literals: lengths and an offset


@dataclass(frozen=True, kw_only=True)
class RandomPages(Generator):
    """Pages whose compressed/original ratios follow a beta distribution.

    `ratio` is its mean and `spread` its standard deviation; `zero` the share of page-outs of the all-zero
    page; `pages` the number of unique pages besides it. LZ codecs come within a few per cent of the ratio
    whatever their kind, because the content is either incompressible or a plain repetition.
    """

    name: ClassVar[str] = "random"
    ratio: float = 0.5
    spread: float = 0.25
    zero: float = 0.05
    pages: int = 4096

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require("ratio", 0 < self.ratio < 1, "give a number between 0 and 1")
        widest = (self.ratio * (1 - self.ratio)) ** 0.5
        self._require("spread", 0 <= self.spread < widest, f"give less than {widest:.3f} with this ratio")
        self._require("zero", 0 <= self.zero <= 1, "give 0 to 1")
        self._require("pages", self.pages >= 1, "give at least 1")
        self._require("page_size", self.page_size % CHUNK == 0, f"give a multiple of {CHUNK}")

    def trace(self) -> Trace:
        """Generate the trace; the all-zero page comes first."""
        rng = np.random.default_rng(self.seed)
        events = churn(self.events, self.slots, rng)
        n = int((events.kind == OUT).sum())
        page = np.where(rng.random(n) < self.zero, 0, rng.integers(1, self.pages, n, endpoint=True))
        pages = np.zeros((1 + self.pages, self.page_size), np.uint8)
        for start in range(1, len(pages), 1024):  # in parts: the index arrays are larger than the pages
            part = pages[start : start + 1024]
            part[:] = self._contents(len(part), rng)
        return Trace.from_arrays(
            self.name, with_pages(events, page), pages, source=self.source, page_size=self.page_size
        )

    def _contents(self, n: int, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
        """Fill n pages with chunks that begin with random bytes and go on repeating them.

        The random bytes of a page are spread over its chunks, one more in some than in others, so that
        page sizes are not multiples of the number of chunks.
        """
        chunks = self.page_size // CHUNK
        budget = np.rint(self._ratios(n, rng) * self.page_size).astype(np.int64) - COPY_COST * chunks
        budget = np.clip(budget, chunks, self.page_size)
        fresh = (budget[:, None] + np.arange(chunks)) // chunks  # random bytes of each chunk; sums to the budget
        at = np.arange(CHUNK)
        noise = rng.integers(0, 256, (n, chunks, CHUNK), np.uint8)
        pages = np.take_along_axis(noise, at % fresh[:, :, None], axis=2)
        return pages.reshape(n, self.page_size)

    def _ratios(self, n: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
        if not self.spread:
            return np.full(n, self.ratio)
        weight = self.ratio * (1 - self.ratio) / self.spread**2 - 1
        return rng.beta(self.ratio * weight, (1 - self.ratio) * weight, n)
