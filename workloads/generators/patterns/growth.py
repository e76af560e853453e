"""A program that needs ever more."""

from __future__ import annotations

from typing import ClassVar

from workloads.generators.draws import Draws, listed
from workloads.generators.patterns.base import Steps
from workloads.generators.patterns.working import Working


class Growth(Working, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """New slots are written one after the other, evenly until all have been; steps between them work on older ones."""

    name: ClassVar[str] = "growth"

    def steps(self, n: int, slots: int, draws: Draws) -> Steps:
        """See `Pattern.steps`."""
        words, grown = listed(draws.of("slot").words(n)), 0

        def choose(step: int, done: int) -> int:
            nonlocal grown
            if grown < slots and grown * n <= done * slots:
                grown += 1
                return grown - 1
            return words[step] % grown

        return self.work(n, slots, choose, draws)
