"""Where the rows of a trace lie: the contract, and its form in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from workloads.traces.events import Events
from workloads.traces.sizes import Sizes

if TYPE_CHECKING:
    import pandas as pd


class Backend(Protocol):
    """What a `Trace` asks of its storage; see `Trace` for the meaning of each method."""

    def batches(self, size: int) -> Iterator[Events]:
        """Yield all events in order, at most `size` at once."""

    def page_array(self, start: int, stop: int) -> npt.NDArray[np.uint8]:
        """Return the pages start..stop-1, both within the trace."""

    def original_slots(self) -> npt.NDArray[np.uint64] | None:
        """Return what the slots were called before they were numbered, None if they were not."""

    def memory(self) -> pd.DataFrame | None:
        """Return the samples of the program's memory with all their columns, None when there are none."""

    def sizes(self, codec: str) -> Sizes | None:
        """Return the sizes of a codec if they are known."""

    def sizes_codecs(self) -> list[str]:
        """Return the codecs whose sizes are known, sorted."""


class MemoryBackend:
    """Arrays."""

    def __init__(
        self,
        events: Events,
        pages: npt.NDArray[np.uint8],
        sizes: Mapping[str, Sizes],
        slots: npt.NDArray[np.uint64] | None = None,
        memory: pd.DataFrame | None = None,
    ) -> None:
        """`pages` is uint8[0, page_size] for a trace without contents; `slots` are the original ones, if others."""
        self._events = events
        self._pages = pages
        self._sizes = dict(sizes)
        self._slots = slots
        self._memory = memory

    def batches(self, size: int) -> Iterator[Events]:
        """Yield views."""
        for start in range(0, len(self._events), size):
            yield self._events[start : start + size]

    def page_array(self, start: int, stop: int) -> npt.NDArray[np.uint8]:
        """Return a view."""
        return self._pages[start:stop]

    def original_slots(self) -> npt.NDArray[np.uint64] | None:
        """Return what was given."""
        return self._slots

    def memory(self) -> pd.DataFrame | None:
        """Return what was given."""
        return self._memory

    def sizes(self, codec: str) -> Sizes | None:
        """Look the codec up."""
        return self._sizes.get(codec)

    def sizes_codecs(self) -> list[str]:
        """List what was given."""
        return sorted(self._sizes)
