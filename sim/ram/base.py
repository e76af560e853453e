"""The contract of every reclaim policy: which page goes out next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from allocators.configured import Configured


class Policy(Configured, ABC):
    """Chooses among the pages that the recorded memory gave up and a larger one still holds."""

    @abstractmethod
    def buffer(self, n_slots: int, n_pages: int, capacity: int) -> Any:
        """The state of an empty buffer, a NamedTuple that has rules (`dispatch.Rules`).

        Its pages lie in `n_slots` slots, and are of `n_pages` unique ones; the machine has `capacity` pages.
        """
