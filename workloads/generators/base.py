"""What the generators share: their form, their checks, and the churn of slots."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.traces.events import FREE, IN, OUT, Events
from workloads.traces.sizes import LARGEST_PAGE
from workloads.traces.trace import Trace

Bytes = Annotated[int, "bytes"]  # in a spec: 4096, or 4K
MeanBytes = Annotated[float, "bytes"]
OVERWRITE, DROP = 0.15, 0.05  # shares of the steps on a slot in use; the others read it in, which frees it


@dataclass(frozen=True, kw_only=True)
class Generator(ABC):
    """A synthetic trace; its fields are its JSON-safe configuration, equal fields give equal traces.

    `events` in all, over `slots` slots; `seed` of the random numbers. Raises TraceError for a field out of
    range.
    """

    name: ClassVar[str]
    events: int = 100_000
    slots: int = 10_000
    seed: int = 0
    page_size: Bytes = 4096

    def __post_init__(self) -> None:
        self._require("events", self.events >= 1, "give at least 1")
        self._require("slots", self.slots >= 1, "give at least 1")
        self._require("seed", self.seed >= 0, "give 0 or more")
        self._require("page_size", 64 <= self.page_size <= LARGEST_PAGE, f"give 64 to {LARGEST_PAGE}")

    @abstractmethod
    def trace(self) -> Trace:
        """Generate the trace, in memory."""

    @property
    def source(self) -> dict[str, Any]:
        """How the trace came to be: all fields."""
        return {"kind": "synthetic", "generator": self.name, **asdict(self)}

    def _require(self, field: str, good: bool, remedy: str) -> None:
        if not good:
            raise TraceError.at(self.name, f"{field}={getattr(self, field)}", "is out of range", remedy)


def churn(n_events: int, n_slots: int, rng: np.random.Generator) -> Events:
    """Fill all slots in order, then work on random ones, as a full swap device sees it.

    A slot not in use is written. One in use is overwritten, freed (its process ended), or read in and then
    freed, as swap on zram does. Page-outs have page 0, to be replaced.
    """
    filled = min(n_slots, n_events)
    rest = n_events - filled
    kinds, slots = [OUT] * filled, list(range(filled))
    live = [True] * n_slots
    choices = rng.integers(0, n_slots, rest).tolist()
    for slot, luck in zip(choices, rng.random(rest).tolist(), strict=True):
        if not live[slot] or luck < OVERWRITE:
            steps: tuple[int, ...] = (OUT,)
        elif luck < OVERWRITE + DROP:
            steps = (FREE,)
        else:
            steps = (IN, FREE)
        live[slot] = steps == (OUT,)
        kinds += steps
        slots += [slot] * len(steps)
        if len(kinds) >= n_events:
            break
    kind = np.array(kinds[:n_events], np.uint8)
    return Events.of(kind, slots[:n_events], np.where(kind == OUT, 0, -1))


def with_pages(events: Events, page: npt.ArrayLike) -> Events:
    """Give the page-outs their pages, one number each."""
    column = events.page.copy()
    column[events.kind == OUT] = page
    return Events(events.kind, events.slot, column, events.time_ns, events.task)
