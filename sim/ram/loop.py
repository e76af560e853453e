"""The loop over a trace on a machine of another size: which recorded events still happen, each replayed as it does."""

from typing import Any

from allocators.compiled import dispatch as allocators
from allocators.compiled.borrow import borrow
from allocators.compiled.jit import compiled, entry
from sim.frontends.compiled.slots import EMPTY, HUGE
from sim.ram import memory
from sim.replay.loop import step
from workloads.traces.events import FREE, IN, LOST, OUT


@compiled
def overflows(ram: memory.Ram, left: int) -> bool:
    """Whether a page must go out, as there is room for `left` only; if that does not help, not now."""
    book = ram.book[0]
    return bool(book.buffered > max(left, 0) and book.useless < memory.CLUSTER)


@compiled
def note(ram: memory.Ram, made: Any, i: int, kind: int, slot: int, page: int, of: int) -> None:
    """Enter an event that happens."""
    made[i].program = ram.book[0].recorded + ram.book[0].buffered
    made[i].kind = kind
    made[i].slot = slot
    made[i].page = page
    made[i].of = of


@compiled
def happens(ram: memory.Ram, device: Any, kind: int, slot: int, page: int) -> bool:
    """Take a recorded event in; whether it happens as it was recorded."""
    if kind == OUT:
        memory.enter(ram, slot, page)
        return False
    if kind == IN:
        return not memory.read(ram, slot)
    if kind == FREE:
        return not memory.forget(ram, slot) or device.slots.slot[slot].what != EMPTY
    if kind == LOST:
        memory.forget(ram, slot)
    return True


@entry
def closed(
    allocator: Any,
    device: Any,
    ram: memory.Ram,
    kind: Any,
    slot: Any,
    page: Any,
    recorded: Any,
    size: Any,
    same_filled: Any,
    zero_filled: Any,
    made: Any,
    outcome: Any,
    log: Any,
    start: int,
) -> int:
    """Go on with a batch of recorded events where `ram.book` says; 0 if the allocator's arrays must grow first, else 1.

    It stops when all are done, or when `made` MADE[m] and `outcome` OUTCOME[m] are full; `ram.book` tells how many
    events were made. recorded int64[n]: pages of the recorded memory at each event. The other arguments are those of
    `sim.replay.loop.replay`.
    """
    device, allocator, ram = borrow(device), borrow(allocator), borrow(ram)
    made, outcome = borrow(made), borrow(outcome)
    kind, slot, page, recorded = borrow(kind), borrow(slot), borrow(page), borrow(recorded)
    size, same_filled, zero_filled = borrow(size), borrow(same_filled), borrow(zero_filled)
    book = ram.book[0]
    while True:
        left = memory.room(ram, device, allocator)
        while overflows(ram, left):
            if book.made == len(made):
                return 1
            if not allocators.has_room(allocator):
                return 0
            i, k = book.made, memory.evict(ram)
            p = ram.gone[k]
            note(ram, made, i, OUT, k, p, max(book.next - 1, 0))
            step(allocator, device, OUT, k, p, size, same_filled, zero_filled, outcome, log, i)
            book.made += 1
            if outcome[i].what == HUGE:
                book.useless += 1
                book.won_nothing += 1
            left = memory.room(ram, device, allocator)
        memory.settle(ram, left)
        at = book.next
        if at == len(kind) or book.made == len(made):
            return 1
        book.next += 1
        book.useless = 0
        book.recorded = recorded[at]
        if happens(ram, device, kind[at], slot[at], page[at]):
            i = book.made
            note(ram, made, i, kind[at], slot[at], page[at], at)
            step(allocator, device, kind[at], slot[at], page[at], size, same_filled, zero_filled, outcome, log, i)
            book.made += 1
