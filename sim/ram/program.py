"""The memory of a program, use by use: which pages are in it, and what that means for its swap device.

Of Linux 6.18. A page that was never written is that of a file: when it goes out it is dropped. One that was written
goes to a slot of the device (`shrink_folio_list`, mm/vmscan.c). When it comes back (`do_swap_page`, mm/memory.c):

- A device that reads at once, as zram does since 4.15 (`SWP_SYNCHRONOUS_IO`), frees the slot: whatever comes back has
  to go out again.
- With any other the page is in the *swap cache*: it keeps its slot, whose copy serves until the page is written to.
  It is free at once if the page came back to be written, or if more than half of the device is in use
  (`should_try_to_free_swap`). A page that is written later goes out to the slot that it has.

A page that the program gives up gives its slot up. Nothing is read ahead, and pages go out one at a time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from allocators.compiled import arrays
from allocators.compiled.borrow import borrow
from allocators.compiled.ids import NIL
from allocators.compiled.jit import compiled, entry
from sim.ram import clusters, dispatch
from sim.ram.base import Policy
from sim.ram.clusters import CACHED, MOST_BACK, USED
from workloads.traces.events import FREE, IN, OUT

MOST_MADE = MOST_BACK + 3  # events of one use: slots taken back, a page-out, a page-in, and its slot is free

PAGE = np.dtype(
    [
        ("slot", np.int32),  # that has a copy of it, NIL for none
        ("resident", np.bool_),
        ("gone", np.bool_),  # it went out since the program got it
        ("written", np.bool_),  # by the program, ever
        ("dirty", np.bool_),  # the slot, if any, has an old copy
    ],
    align=True,
)
BOOK = np.dtype(
    [
        ("capacity", np.int64),  # pages
        ("cache", np.int64),  # whether there is a swap cache
        ("resident", np.int64),  # pages in memory
        ("last", np.int64),  # the page used last, NIL if it is not there any more
        ("next", np.int64),  # use of the batch that comes next
        ("made", np.int64),  # events made
        ("full", np.int64),  # whether a page found no slot
        ("faults", np.int64),  # so far, as are all below: uses of a page that was not in memory
        ("outs", np.int64),  # pages that went out to a slot
        ("clean", np.int64),  # dropped, as their slots have them
        ("files", np.int64),  # dropped, as they were never written
    ],
    align=True,
)
MADE = np.dtype([("kind", np.uint8), ("slot", np.int64), ("of", np.int64)], align=True)  # of: the use of the batch


class Program(NamedTuple):
    """A program, its memory and its swap device."""

    book: Any  # BOOK[1]
    page: Any  # PAGE[pages]
    owner: Any  # int32[slots]: the page of each slot in use
    device: clusters.Clusters
    buffer: Any  # the policy's


def new_program(policy: Policy, n_pages: int, capacity: int, n_slots: int, cache: bool) -> Program:
    """A program of `n_pages` pages, none used so far, in a memory of `capacity`, with a swap device of `n_slots`."""
    book, page = arrays.records(1, BOOK), arrays.records(n_pages, PAGE)
    book["capacity"], book["cache"], book["last"] = capacity, cache, NIL
    page["slot"] = NIL
    device = clusters.new_clusters(n_slots)
    return Program(book, page, np.zeros(n_slots, np.int32), device, policy.buffer(n_pages, n_pages, capacity))


@compiled
def note(program: Program, made: Any, kind: int, slot: int) -> None:
    """Enter an event."""
    book = program.book[0]
    made[book.made].kind = kind
    made[book.made].slot = slot
    made[book.made].of = book.next
    book.made += 1


@compiled
def give_slot(program: Program, made: Any, p: int) -> None:
    """A page gives its slot up."""
    slot = program.page[p].slot
    program.page[p].slot = NIL
    clusters.give(program.device, slot)
    note(program, made, FREE, slot)


@compiled
def take_slot(program: Program, made: Any, p: int) -> int:
    """Find a slot for a page, for which others may lose theirs; 0 if there is none."""
    slot = 0
    again = True
    while again:
        slot = clusters.take(program.device)
        state = program.device.state[0]
        again = slot == 0 and state.back > 0
        for i in range(state.back):
            other = program.page[program.owner[program.device.back[i]]]
            other.slot = NIL
            other.dirty = True
            note(program, made, FREE, program.device.back[i])
        state.back = 0
    if slot:
        program.page[p].slot = slot
        program.owner[slot] = p
    return slot


@compiled
def evict(program: Program, made: Any) -> None:
    """A page of the policy's choice leaves the memory."""
    book = program.book[0]
    p = dispatch.victim(program.buffer)
    page = program.page[p]
    dispatch.leave(program.buffer, p)
    book.resident -= 1
    page.resident = False
    page.gone = True
    if not page.written:
        book.files += 1
    elif page.slot != NIL and not page.dirty:
        program.device.slot[page.slot] = USED
        book.clean += 1
    elif page.slot != NIL or take_slot(program, made, p):
        program.device.slot[page.slot] = USED
        note(program, made, OUT, page.slot)
        page.dirty = False
        book.outs += 1
    else:
        book.full = True


@compiled
def come_in(program: Program, made: Any, p: int, write: bool) -> None:
    """A page that is not in memory is used."""
    book, page = program.book[0], program.page[p]
    book.faults += 1
    if book.resident == book.capacity:
        evict(program, made)
    if page.gone:
        dispatch.fault(program.buffer, p, p)
    if page.slot != NIL:
        note(program, made, IN, page.slot)
        if book.cache and not write and not clusters.is_full(program.device):
            program.device.slot[page.slot] = CACHED
        else:
            give_slot(program, made, p)
            page.dirty = True
    dispatch.enter(program.buffer, p, p)
    page.resident = True
    book.resident += 1


@compiled
def use(program: Program, made: Any, p: int, write: bool) -> None:
    """The program reads or writes a page; used several times in a row, that is once for the policy."""
    book, page = program.book[0], program.page[p]
    if not page.resident:
        come_in(program, made, p, write)
    elif p != book.last:
        dispatch.hit(program.buffer, p, p)
        dispatch.leave(program.buffer, p)
        dispatch.enter(program.buffer, p, p)
    if write:
        page.written = True
        page.dirty = True
    book.last = p


@compiled
def give_up(program: Program, made: Any, p: int) -> None:
    """The program unmaps a page."""
    book, page = program.book[0], program.page[p]
    if page.resident:
        dispatch.leave(program.buffer, p)
        book.resident -= 1
    if page.slot != NIL:
        give_slot(program, made, p)
    page.resident = False
    page.gone = False
    page.written = False
    page.dirty = False
    if book.last == p:
        book.last = NIL


@entry
def run(program: Program, kind: Any, page: Any, made: Any) -> None:
    """Go on with a batch of uses, kind uint8[n] and page int32[n], where `book` says, until all are done.

    It stops earlier when `made` MADE[m] has no room for another use, or when a page found no slot.
    """
    program, kind, page, made = borrow(program), borrow(kind), borrow(page), borrow(made)
    book = program.book[0]
    while book.next < len(kind) and book.made + MOST_MADE <= len(made) and not book.full:
        p = page[book.next]
        if kind[book.next] != FREE:
            use(program, made, p, kind[book.next] == OUT)
        elif p != NIL:
            give_up(program, made, p)
        book.next += 1
