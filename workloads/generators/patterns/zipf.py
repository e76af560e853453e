"""Few slots that are used often, many that are used rarely."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from workloads.generators import powers
from workloads.generators.draws import Draws, listed
from workloads.generators.patterns.base import Steps
from workloads.generators.patterns.working import Working


class Zipf(Working, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The slot of rank k is chosen in proportion to k ** -`exponent`; 0: all alike. Ranks lie scattered."""

    name: ClassVar[str] = "zipf"
    exponent: Annotated[float, Meta(ge=0, le=16)] = 1.0

    def steps(self, n: int, slots: int, draws: Draws) -> Steps:
        """See `Pattern.steps`."""
        ranks = powers.Choice(powers.zipf(slots, self.exponent)).pick(draws.of("rank").words(n))
        scattered = np.argsort(draws.of("slot").words(slots), kind="stable")
        chosen = listed(scattered[ranks])
        return self.work(n, slots, lambda step, done: chosen[step], draws)
