"""A process whose children have its pages: duplicates in slots of their own."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from workloads.generators.draws import Draws, Numbers, share
from workloads.generators.patterns.base import Pattern, Share, Steps
from workloads.traces.events import FREE, IN, OUT


class Fork(Pattern, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parent's pages go out, then those of one child after the other: the same, but for the share `private`.

    Parent and `children` have equal numbers of slots. When all children are there, the oldest exits, which frees its
    slots, the share `read` of them after a page-in, and a new child takes them. Processes share the `tasks`.
    """

    name: ClassVar[str] = "fork"
    children: Annotated[int, Meta(ge=1, le=1 << 16)] = 4
    private: Share = 0.1
    read: Share = 0.2

    @property
    def least_slots(self) -> int:
        """One for each process."""
        return self.children + 1

    def steps(self, n: int, slots: int, draws: Draws) -> Steps:
        """See `Pattern.steps`."""
        own = min(slots // (self.children + 1), n)
        lives = [_column(own, 0, OUT, np.arange(own), None)]
        rows, born = own, 0
        while rows < n:
            child = 1 + born % self.children
            life = self._life(own, child, born >= self.children, draws.of(born))
            lives.append(life)
            rows += len(life[0])
            born += 1
        kind, slot, like, process = (np.concatenate(column)[:n] for column in zip(*lives, strict=True))
        return Steps(kind.astype(np.uint8), slot, like, (process % self.tasks).astype(np.int32))

    def _life(self, own: int, child: int, exits: bool, draws: Draws) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        """The exit of the one before, if there was one, and the page-outs of this child."""
        page = np.arange(own)
        private = np.frombuffer(draws.of("private").parts(own), np.int64) < share(self.private)
        born = _column(own, child, OUT, page, np.where(private, -1, page))
        if not exits:
            return born
        read = np.frombuffer(draws.of("read").parts(own), np.int64) < share(self.read)
        slot = np.repeat(page, 1 + read)
        kind = np.full(len(slot), FREE)
        kind[:-1][slot[:-1] == slot[1:]] = IN  # the first of two
        gone = _column(own, child, kind, slot, None)
        kind, slot, like, process = (np.concatenate(pair) for pair in zip(gone, born, strict=True))
        return kind, slot, like, process


def _column(
    own: int, process: int, kind: Numbers | int, page: Numbers, like: Numbers | None
) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Kind, slot, like and process of events on the slots of a process."""
    n = len(page)
    return (
        np.full(n, kind, np.int64),
        own * process + page,
        np.full(n, -1) if like is None else like,
        np.full(n, process),
    )
