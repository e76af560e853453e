"""When zswap's pool is full, and what is moved to the swap device then.

Sources: mm/zswap.c (5.4, 6.1, 6.6, 6.10, 6.18); mm/zpool.c, mm/zbud.c and mm/z3fold.c (6.1);
mm/zsmalloc.c (6.2).

- A page-out is refused while the pool is full. It becomes full at the limit, and takes pages again when a page-out
  finds it at the acceptance threshold. A refused page goes to the device. 5.4 has no threshold.
- To 6.4 the pool chooses: zbud and z3fold have a list of their pages by when they last got an object, and give up the
  oldest, whose objects are written back together. 5.4 does so in the page-out that finds the pool at the limit, and
  takes its page if it is below then. In 6.1 that page-out is refused and wakes a worker, which has *one* page
  reclaimed; a page-out refused between limit and threshold does not wake it. So the pool stays where it is, refusing,
  until pages are freed (what "mm: zswap: shrink until can accept" of May 2023 mended).
- zsmalloc does the same with zspages in 6.2 to 6.4; in all others it has nothing to give up, and each run fails.
- To 6.4 the size that is compared with the limit is one page too large after a run: it is noted when an entry is
  freed, and the pool lets its page go behind the last one.
- From 6.5 zswap has a list of entries, and each page-out that a full pool refuses wakes the worker, which writes the
  oldest ones back until the pool is at the threshold.
- The worker runs beside the program in the kernel; here it is done before the next event.
"""

from __future__ import annotations

from typing import Any

from allocators.compiled import dispatch, lists
from allocators.compiled.ids import NIL
from allocators.compiled.jit import compiled
from sim.frontends.compiled import slots
from sim.frontends.zswap.device import ZswapDevice, unlist

RETRIES = 16  # entries spared in one run of the worker, at which it gives up (MAX_RECLAIM_RETRIES, mm/internal.h)


@compiled
def size(device: ZswapDevice, allocator: Any) -> int:
    """The pages that the limit is compared with."""
    return int(device.state[0].noted) if device.rules[0].by_pool else int(dispatch.pages(allocator))


@compiled
def is_full(device: ZswapDevice, allocator: Any) -> bool:
    """Whether the pool refuses a page-out, which it may have made room for, noted for the next time."""
    pages = size(device, allocator)
    rules, state = device.rules[0], device.state[0]
    if pages >= rules.full_from:
        device.counts[0].pool_limit_hit += 1
        state.reached_full = 1
        if rules.at_once and reclaim_page(device, allocator) and state.noted < rules.full_from:
            state.reached_full = 0
    elif state.reached_full and pages <= rules.accept_to:
        state.reached_full = 0
    return bool(state.reached_full)


@compiled
def work(device: ZswapDevice, allocator: Any) -> None:
    """What follows a page-out that a full pool has refused."""
    rules = device.rules[0]
    if not rules.by_pool:
        write_back(device, allocator)
    elif not rules.at_once and device.state[0].noted >= rules.full_from:
        reclaim_page(device, allocator)


@compiled
def reclaim_page(device: ZswapDevice, allocator: Any) -> bool:
    """Have the pool give up its oldest page and write its objects back; whether it could."""
    held = dispatch.pages(allocator)
    count = dispatch.reclaim(allocator, device.handles)
    if count == 0:
        device.counts[0].reject_reclaim_fail += 1
        return False
    for nth in range(count):
        i = int(device.slot_of[device.handles[nth]])
        slots.lose(device.slots, i)
        slots.note_written_back(device.slots, i)
    device.counts[0].written_back += count
    device.state[0].noted = held
    return True


@compiled
def write_back(device: ZswapDevice, allocator: Any) -> None:
    """One run of the worker: to the threshold, unless it spares too many entries or none is left."""
    rules, counts = device.rules[0], device.counts[0]
    spared = 0
    while device.oldest[0] != NIL and spared < RETRIES:
        i = int(device.oldest[0])
        if rules.second_chance and device.entry[i].referenced:
            device.entry[i].referenced = 0
            lists.renew(device.entry, device.oldest, 0, i)
            spared += 1
        else:
            unlist(device, i)
            slots.write_back(device.slots, allocator, i)
            counts.written_back += 1
        if dispatch.pages(allocator) <= rules.accept_to:
            break
    counts.spared += spared
