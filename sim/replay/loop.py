"""The one loop over a trace: compiled, or the same source in plain Python for allocators that users write."""

from typing import Any

import numpy as np

from allocators.compiled import dispatch as allocators
from allocators.compiled.borrow import borrow
from allocators.compiled.jit import compiled, entry
from sim.frontends.compiled import dispatch as frontends
from sim.replay import detail
from workloads.traces.events import FREE, IN, LOST, OUT

OUTCOME = np.dtype(
    [
        ("what", np.uint8),  # what was stored, read or freed: `sim.frontends.compiled.slots`
        ("pages", np.int32),  # held after the event, as are:
        ("objects", np.int32),
        ("bytes", np.int64),
        ("same_filled", np.int32),
        ("refused", np.int32),
    ],
    align=True,
)


@compiled
def step(
    allocator: Any,
    device: Any,
    kind: int,
    slot: int,
    page: int,
    size: Any,
    same_filled: Any,
    zero_filled: Any,
    outcome: Any,
    log: Any,
    i: int,
) -> None:
    """One event, for which the allocator has room; its outcome and its details go into row `i`."""
    what = 0
    if log is not None:
        detail.before(borrow(log), device, allocator, kind, slot, page, i)
    if kind == OUT:
        fill = int(same_filled[page]) + int(zero_filled[page])
        what = frontends.page_out(device, allocator, slot, page, size[page], fill)
    elif kind == IN:
        what = frontends.page_in(device, allocator, slot)
    elif kind in (FREE, LOST):  # what a lost page-out wrote is unknown: nothing is held for it
        what = frontends.slot_free(device, allocator, slot)
    else:
        allocators.compact(allocator)
    if log is not None:
        detail.after(borrow(log), device, allocator, kind, slot, what, i)
    after, tally = outcome[i], device.slots.tally[0]
    after.what = what
    after.pages = allocators.pages(allocator) + tally.outside
    after.objects = tally.objects
    after.bytes = tally.bytes
    after.same_filled = tally.same_filled
    after.refused = tally.refused


@entry
def replay(
    allocator: Any,
    device: Any,
    kind: Any,
    slot: Any,
    page: Any,
    size: Any,
    same_filled: Any,
    zero_filled: Any,
    outcome: Any,
    log: Any,
    start: int,
) -> int:
    """Replay events from `start` on; where it stopped because the allocator's arrays must grow, else their number.

    kind uint8[n], slot int64[n], page int32[n] as in `workloads.Events`; size int32[unique pages], compressed, and
    same_filled, zero_filled bool[unique pages]; outcome OUTCOME[n] is written.
    log is a `detail.Log` for what the timing stage needs to know, or None, which compiles to nothing.
    """
    device, allocator, outcome = borrow(device), borrow(allocator), borrow(outcome)
    kind, slot, page = borrow(kind), borrow(slot), borrow(page)
    size, same_filled, zero_filled = borrow(size), borrow(same_filled), borrow(zero_filled)
    for i in range(start, len(kind)):
        if kind[i] != IN and not allocators.has_room(allocator):  # a free may store what is left of a unit
            return i
        step(allocator, device, kind[i], slot[i], page[i], size, same_filled, zero_filled, outcome, log, i)
    return len(kind)
