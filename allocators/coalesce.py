"""Coalesce: any tail of one page with any head of another."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from allocators.base import KernelAllocator, Placement
from allocators.kernels import arrays, ids, lists
from allocators.kernels import coalesce as kernels
from allocators.kernels.ids import NIL
from allocators.zone import PageZone

ROOM = 1024


class Coalesce(KernelAllocator):
    """The allocator that the thread of February 2012 imagined (see `kernels.coalesce`)."""

    name: ClassVar[str] = "coalesce"
    state: kernels.Fragments

    def __init__(self, page_size: int = 4096, zone: PageZone | None = None) -> None:
        super().__init__(page_size, zone)
        units = page_size // kernels.UNIT
        rules = arrays.records(1, kernels.RULES)
        rules["units"] = units

        def runs() -> kernels.Runs:
            return kernels.Runs(np.full(units + 1, NIL, np.int32), np.zeros(units // 32 + 1, np.int64))

        self.state = kernels.Fragments(
            zone=self.zone.state,
            rules=rules,
            fragment=arrays.records(ROOM, kernels.FRAGMENT),
            fragments=ids.make(ROOM),
            heads=runs(),
            tails=runs(),
        )

    def holds(self, handle: int) -> bool:
        """See `KernelAllocator.holds`."""
        made = 0 <= handle < int(self.state.fragments.top[1])
        return made and int(self.state.fragment[handle].state) == kernels.FIRST

    def placement(self, handle: int) -> Placement:
        """One range, or a tail and a head."""
        self.require_handle(handle)
        fragment = self.state.fragment
        parts = [f for f in (handle, int(fragment[handle].second)) if f != NIL]
        unit = kernels.UNIT
        return Placement(
            tuple((int(fragment[f].page), int(fragment[f].start) * unit, int(fragment[f].width) * unit) for f in parts)
        )

    def check(self) -> None:
        """Recount pages, the fragments of each, and the lists of runs."""
        self.zone.check()
        fragment = self.state.fragment
        live = ids.in_use(self.state.fragments)
        listed = {
            f: (end, width)
            for end, runs in enumerate((self.state.heads, self.state.tails))
            for width in range(len(runs.head))
            for f in lists.members(fragment, runs.head, width)
        }
        firsts = [f for f in live if fragment[f].before == NIL]
        seen = 0
        for first in firsts:
            offset, f, before = 0, first, NIL
            while f != NIL:
                entry = fragment[f]
                self.require((entry.start, entry.before) == (offset, before), f"fragment {f} is out of place")
                free = entry.state == kernels.FREE
                self.require(not (free and before != NIL and fragment[before].state == kernels.FREE), "not merged")
                end = 0 if entry.before == NIL else 1
                at_end = free and NIL in (entry.before, entry.after)
                self.require(listed.get(f) == ((end, int(entry.width)) if at_end else None), f"lists of run {f}")
                offset += int(entry.width)
                before, f = f, int(entry.after)
                seen += 1
            self.require(offset == self.state.rules[0].units, f"page {fragment[first].page} fills {offset} units")
        self.require(seen == len(live), "fragments in no page")
        self.require(len(firsts) == self.pages, f"{len(firsts)} pages in use, {self.pages} held")
