"""Made-up reads and writes of a program in its memory, from which reclaim makes a trace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from sim.ram.numbers import Numbering
from sim.ram.reclaim import Reclaim
from workloads.errors import TraceError
from workloads.generators.base import Generator, MeanBytes
from workloads.generators.sizes import Bell
from workloads.readers.base import Batch
from workloads.traces.events import IN, OUT, Events
from workloads.traces.sizes import GIVEN, Sizes
from workloads.traces.trace import Trace

Ints = npt.NDArray[np.int64]

IN_ORDER = {"zipf": slice(0), "loop": slice(None), "scan": slice(1, None, 2)}  # which passes go through all pages
ROOM = 1 << 15  # uses in a batch, about
PATIENCE = 100  # uses for each event that is wanted, on average
HALF: Any = None


@dataclass(frozen=True, kw_only=True)
class References(Generator):
    """A program writes all its pages, then reads and writes them in a memory that is too small.

    It has `pages` pages and `ram` pages of memory, by default half of `slots`, its swap device, and half of its pages;
    `policy` and `swap_cache` as for `Reclaim`. `pattern` says which page is used: `loop`, one after the other, over and
    over; `zipf`, that of rank k in proportion to k ** -`exponent`; `scan`, so many like zipf as there are pages, then
    all in order, in turns. `write` is the share of writes. Pages compress to a normal distribution of `mean` and
    `spread` bytes.
    """

    name: ClassVar[str] = "references"
    pattern: str = "zipf"
    pages: int = HALF
    ram: int = HALF
    policy: str = "lru"
    swap_cache: bool = True
    write: float = 0.3
    exponent: float = 1.0
    mean: MeanBytes = 2048.0
    spread: MeanBytes = 512.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for field, whole in (("pages", "slots"), ("ram", "pages")):
            if getattr(self, field) is None:
                object.__setattr__(self, field, max(1, getattr(self, whole) // 2))
        self._require("pattern", self.pattern in IN_ORDER, f"give one of {', '.join(IN_ORDER)}")
        self._require("pages", 2 <= self.pages < self.slots, "give at least 2, and less than slots")
        self._require("ram", 1 <= self.ram < self.pages, "give at least 1, and less than pages")
        self._require("write", 0 <= self.write <= 1, "give 0 to 1")
        self._require("exponent", 0 <= self.exponent <= 16, "give 0 to 16")
        self._require("mean", 1 <= self.mean <= self.page_size, "give 1 to page_size")
        self._require("spread", self.spread >= 0, "give 0 or more")

    @property
    def source(self) -> dict[str, Any]:
        """How the trace came to be, and the memory that it is of if it tells all that went out."""
        return super().source | ({} if self.swap_cache else {"limit": self.ram * self.page_size})

    def trace(self) -> Trace:
        """Generate the trace, with sizes of the pseudo codec `given`. Raises TraceError if hardly a page goes out."""
        pages, made, count = Numbering(), [], 0
        pages.add(np.arange(self.pages, dtype=np.uint64))
        reclaim = Reclaim(self.ram, self.policy, self.swap_cache, self.slots)
        for batch in reclaim.through(self.uses(), {}, pages):
            made.append(batch)
            count += len(batch)
            if count >= self.events:
                break
        if count < self.events:
            raise TraceError.at(
                self.name, f"ram={self.ram}", "hardly a page is missing there", "give less, or more pages"
            )
        kind = np.concatenate([batch.kind for batch in made])[: self.events]
        slot = np.concatenate([batch.slot for batch in made])[: self.events].astype(np.int64)
        out = kind == OUT
        bell = Bell(mean=self.mean, spread=self.spread, page_size=self.page_size)
        drawn = bell.draw(int(out.sum()), np.random.default_rng((self.seed, 1)))
        size, number = np.unique(np.clip(np.rint(drawn), 1, self.page_size), return_inverse=True)
        page = np.full(len(kind), -1, np.int32)
        page[out] = number
        sizes = {GIVEN: Sizes.given(size)}
        return Trace.from_arrays(self.name, Events(kind, slot, page), None, sizes, self.source, self.page_size)

    def uses(self) -> Iterator[Batch]:
        """Yield more reads and writes than it should take; pages are numbered from 0."""
        rng = np.random.default_rng(self.seed)
        scattered, share = rng.permutation(self.pages), np.cumsum(np.arange(1.0, self.pages + 1) ** -self.exponent)
        in_order = np.arange(self.pages, dtype=np.uint64)
        yield Batch(np.full(self.pages, OUT, np.uint8), in_order)
        turns = 2 * max(1, ROOM // self.pages)  # a batch has an even number of passes, a multiple of all pages
        for _ in range(1 + PATIENCE * self.events // (turns * self.pages)):
            rank = np.searchsorted(share, rng.random((turns, self.pages)) * share[-1], "right")
            page = scattered[rank].astype(np.uint64)
            page[IN_ORDER[self.pattern]] = in_order
            kind = np.where(rng.random(page.size) < self.write, OUT, IN)
            yield Batch(kind.astype(np.uint8), page.ravel())
