"""A working set that moves."""

from __future__ import annotations

from typing import ClassVar

from workloads.generators.draws import Draws, listed, share
from workloads.generators.patterns.base import Count, Share, Steps
from workloads.generators.patterns.working import Working


class Phases(Working, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`phases` equally long phases, each on one of `sets` equal sets of slots, in turn.

    `wander` is the share of the steps that go anywhere.
    """

    name: ClassVar[str] = "phases"
    phases: Count = 8
    sets: Count = 4
    wander: Share = 0.05

    @property
    def least_slots(self) -> int:
        """A slot a set."""
        return self.sets

    def steps(self, n: int, slots: int, draws: Draws) -> Steps:
        """See `Pattern.steps`."""
        words, luck, wander = listed(draws.of("slot").words(n)), draws.of("wander").parts(n), share(self.wander)
        first = [i * slots // self.sets for i in range(self.sets + 1)]

        def choose(step: int, done: int) -> int:
            if luck[step] < wander:
                return words[step] % slots
            now = done * self.phases // n % self.sets
            return first[now] + words[step] % (first[now + 1] - first[now])

        return self.work(n, slots, choose, draws)
