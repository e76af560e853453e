"""The memory of a machine of another size than the recorded one: what it holds beyond what the recorded one held.

A trace recorded under a limit of L pages tells what a memory of L gives up. A machine of C pages still holds, besides,
some of those given up last: the buffer, of C - L pages, or of C - L - pool where the pool takes its pages from the
machine. A recorded page-out brings its page into the buffer; when that holds more than it may, a page of the policy's
choice really goes out. A recorded page-in of a page in the buffer never happens.

A page is not used between its page-out and its page-in, so what it holds when it goes out later is what was recorded.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from allocators.compiled import arrays
from allocators.compiled import dispatch as allocators
from allocators.compiled.ids import NIL
from allocators.compiled.jit import compiled
from sim.ram import dispatch
from sim.ram.base import Policy

CLUSTER = 32  # pages that reclaim frees at a time (SWAP_CLUSTER_MAX, include/linux/swap.h)

BOOK = np.dtype(
    [
        ("capacity", np.int64),  # pages of the machine
        ("recorded", np.int64),  # pages of the recorded memory, now
        ("shared", np.int64),  # whether the pool takes its pages from the machine
        ("share", np.float64),  # of what the machine has beyond the recorded memory, what the buffer gets
        ("buffered", np.int64),  # pages in the buffer
        ("useless", np.int64),  # those since the last event
        ("outs_avoided", np.int64),  # so far, as are all below: pages that left the buffer without having gone out
        ("ins_avoided", np.int64),  # page-ins of pages in memory
        ("won_nothing", np.int64),  # pages that went out and were kept whole in the pool
        ("below", np.int64),  # events at which the program had less than in the recording
        ("over", np.int64),  # events after which more was held than fits, because going out won nothing
        ("next", np.int64),  # recorded event of the batch that comes next
        ("settled", np.int64),  # events of the batch after which the buffer fits, or cannot
        ("made", np.int64),  # events of the batch that happen
    ],
    align=True,
)
MADE = np.dtype(
    [
        ("kind", np.uint8),  # of an event that happens, as are:
        ("slot", np.int64),
        ("page", np.int32),
        ("of", np.int64),  # the recorded event of the batch that it is, or after which a page had to go out
        ("program", np.int64),  # pages that the program holds then: those of the recorded memory, and the buffer
    ],
    align=True,
)


class Ram(NamedTuple):
    """What is held beyond the recorded memory."""

    book: Any  # BOOK[1]
    page: Any  # int32[slots]: the page of each slot that is in the buffer, NIL for none
    gone: Any  # int32[slots]: the page of each slot that went out last, NIL for none
    kept: Any  # bool[slots]: whether the page last read was in memory then, so that no copy is elsewhere
    buffer: Any  # the policy's


def new_ram(policy: Policy, n_slots: int, n_pages: int, capacity: int, shared: bool, share: float = 1.0) -> Ram:
    """An empty machine of `capacity` pages, `shared` with the pool or not; `share`: see `BOOK`."""
    book = arrays.records(1, BOOK)
    book["capacity"], book["shared"], book["share"] = capacity, shared, share
    none = np.full(n_slots, NIL, np.int32)
    return Ram(book, none, none.copy(), np.zeros(n_slots, np.bool_), policy.buffer(n_slots, n_pages, capacity))


@compiled
def room(ram: Ram, device: Any, allocator: Any) -> int:
    """Pages that the buffer may hold now; negative when the program has less than in the recording."""
    book = ram.book[0]
    more = book.capacity - book.recorded
    if book.shared:
        more -= allocators.pages(allocator) + device.slots.tally[0].outside
    return int(more * book.share)


@compiled
def enter(ram: Ram, slot: int, page: int) -> None:
    """A page is given up by the recorded memory."""
    if ram.page[slot] != NIL:
        remove(ram, slot)
        ram.book[0].outs_avoided += 1
    ram.page[slot] = page
    ram.kept[slot] = False
    ram.book[0].buffered += 1
    dispatch.enter(ram.buffer, slot, page)


@compiled
def remove(ram: Ram, slot: int) -> None:
    """A page leaves the buffer."""
    dispatch.leave(ram.buffer, slot)
    ram.page[slot] = NIL
    ram.book[0].buffered -= 1


@compiled
def evict(ram: Ram) -> int:
    """Take a page of the policy's choice out of the buffer; its slot."""
    slot = int(dispatch.victim(ram.buffer))
    ram.gone[slot] = ram.page[slot]
    remove(ram, slot)
    return slot


@compiled
def settle(ram: Ram, left: int) -> None:
    """Count, once for each event, what is wrong after it; `left` is the room for the buffer."""
    book = ram.book[0]
    if book.settled < book.next:
        book.settled = book.next
        book.below += left < 0
        book.over += book.buffered > max(left, 0)


@compiled
def read(ram: Ram, slot: int) -> bool:
    """A page is used again; whether it was in memory, so that nothing happens."""
    book = ram.book[0]
    if ram.page[slot] != NIL:
        dispatch.hit(ram.buffer, slot, ram.page[slot])
        remove(ram, slot)
        book.outs_avoided += 1
        ram.kept[slot] = True
    if ram.kept[slot]:
        book.ins_avoided += 1
        return True
    if ram.gone[slot] != NIL:
        dispatch.fault(ram.buffer, slot, ram.gone[slot])
    return False


@compiled
def forget(ram: Ram, slot: int) -> bool:
    """A page is freed; whether it was in memory and had never gone out."""
    kept = bool(ram.kept[slot])
    ram.kept[slot] = False
    if ram.page[slot] == NIL:
        return kept
    remove(ram, slot)
    ram.book[0].outs_avoided += 1
    return True
