"""Reclaim: the reads and writes of a program in its memory become the page-outs and page-ins of its swap device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from allocators.compiled import arrays
from sim.errors import UserError
from sim.plugins import POLICIES
from sim.ram.base import Policy
from sim.ram.clusters import CLUSTER
from sim.ram.numbers import Numbering
from sim.ram.program import MADE, MOST_MADE, Program, new_program, run
from workloads.readers.base import Batch, Facts
from workloads.traces.events import FREE, IN, KINDS, OUT

ROOM = 1 << 16  # events made at a time
USES = (IN, OUT)


def pages_of(batches: Iterator[Batch]) -> Numbering:
    """Number the pages that are read or written."""
    pages = Numbering()
    for batch in batches:
        pages.add(batch.slot[np.isin(batch.kind, USES)])
    return pages


@dataclass(frozen=True)
class Reclaim:
    """A memory of `ram` pages, by default half of those that the program uses, with a swap device.

    `policy` says which page goes out. With `swap_cache` a page that comes back keeps its slot and, unless it is
    written, need not go out again; without, as on zram since Linux 4.15, a page-in frees its slot. The device has
    `slots`, by default twice as many as there are pages: it is never more than half full, where that cache ends.
    """

    ram: int | None = None
    policy: str | Policy = "lru"
    swap_cache: bool = True
    slots: int | None = None

    def through(self, batches: Iterator[Batch], facts: Facts, pages: Numbering) -> Iterator[Batch]:
        """Yield what happens on the swap device, and put into `facts` what the memory was and did.

        In `batches` a page-in is a read, a page-out a write, and a free gives a page up; `pages` has numbers for all
        of them (`pages_of`). Events have the times and tasks of the uses that they happen at. Raises UserError if
        nothing would go out, or if the device is full.
        """
        policy, uses = POLICIES.make(self.policy), 0
        program: Program | None = None
        made = arrays.records(ROOM + MOST_MADE, MADE)
        for batch in batches:
            _check(batch)
            if program is None:
                program = self._program(len(pages), policy)
            uses += int(np.isin(batch.kind, USES).sum())
            page, book = pages.find(batch.slot), program.book[0]
            book.next = 0
            while book.next < len(batch):
                book.made = 0
                run(program, batch.kind, page, made)
                if book.full:
                    total = program.device.state[0].total
                    raise UserError(f"all {total} slots of swap are in use; give more swap or more RAM")
                if book.made:
                    yield _events(made[: book.made], batch)
            facts["reclaim"] = self._facts(program, policy, uses)

    def _program(self, n: int, policy: Policy) -> Program:
        ram = max(1, n // 2) if self.ram is None else self.ram
        if ram < 1:
            raise UserError(f"a memory of {ram} pages: give at least 1")
        if self.ram is not None and ram >= n:
            if not n:
                raise UserError("there are no reads or writes; give the format that it has, or leave it out")
            raise UserError(f"all {n} pages of the program fit into {ram} pages of RAM: none goes out; give less RAM")
        slots = -(-(2 * n + 1) // CLUSTER) * CLUSTER if self.slots is None else self.slots
        if slots < 2:
            raise UserError(f"a swap device of {slots} pages: give at least 2, of which one is the header")
        return new_program(policy, n, ram, slots, self.swap_cache)

    def _facts(self, program: Program, policy: Policy, uses: int) -> dict[str, Any]:
        book = program.book[0]
        return {
            "ram": int(book.capacity),
            "policy": policy.spec,
            "swap cache": self.swap_cache,
            "slots": int(program.device.state[0].total) + 1,
            "references": uses,
            "distinct pages": len(program.page),
            "faults": int(book.faults),
            "dropped clean": int(book.clean),
            "dropped file pages": int(book.files),
        }


def _check(batch: Batch) -> None:
    """Raise UserError for what no memory does."""
    other = batch.kind[~np.isin(batch.kind, (*USES, FREE))]
    if len(other):
        kind = KINDS[other[0]] if other[0] < len(KINDS) else other[0]
        raise UserError(f"an event {kind} is none of a program in its memory; import it without RAM")
    if batch.pages is not None or batch.page is not None or batch.size is not None:
        raise UserError("the events have pages or sizes, as those of a swap device; import it without RAM")


def _events(made: Any, batch: Batch) -> Batch:
    of = made["of"]
    time_ns = None if batch.time_ns is None else batch.time_ns[of]
    task = None if batch.task is None else batch.task[of]
    return Batch(made["kind"].copy(), made["slot"].astype(np.uint64), time_ns, task)
