"""zswap's rules: a limited pool of objects in front of a swap device, the oldest written back to it.

Source: mm/zswap.c (6.6, 6.10, 6.18), in all of them:

- A page-out is refused while the pool is full. It becomes full at the limit, and takes pages again when a page-out
  finds it at the acceptance threshold. A refused page goes to the device.
- A page-out that a full pool refuses wakes the worker, which writes the oldest entries back to the device until the
  pool is at the threshold. In the kernel it runs beside the program; here it is done before the next event.
- Same-filled pages (6.6, 6.10) hold no object, and are not on the list of entries: they are never written back.
- One list of entries (the kernel's, of one control group on one memory node). The shrinker that works without a full
  pool is off by default and is not modelled, nor is the swap cache: an entry whose page was just read may be written
  back.

RULES lists the differences.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from allocators import Allocator
from allocators.compiled import arrays, dispatch, lists
from allocators.compiled.codes import NO_MEMORY, TOO_LARGE
from allocators.compiled.ids import NIL
from allocators.compiled.jit import compiled
from allocators.eras import ON, Span, check_era
from sim.frontends.base import NO_LIMIT, LimitedByRam, Pages, counted, empty_slots
from sim.frontends.compiled import slots
from sim.frontends.compiled.dispatch import Rules, register_rules
from workloads.traces.sizes import Sizes

RETRIES = 16  # entries spared in one run of the worker, at which it gives up (MAX_RECLAIM_RETRIES, mm/internal.h)

RULES = np.dtype(
    [
        ("page_size", np.int64),
        ("full_from", np.int64),  # pages held from which the pool is full
        ("accept_to", np.int64),  # pages held up to which a pool that was full takes pages again
        ("drop_first", np.int64),  # a slot's old entry is freed before anything else (6.6), else behind the new one
        ("exclusive", np.int64),  # a load frees its entry (6.10, 6.18), else it makes it the youngest
        ("zeros_apart", np.int64),  # swap core keeps zero pages, in front of zswap (from 6.12)
        ("second_chance", np.int64),  # the worker spares an entry once (from 6.12)
        ("keep_whole", np.int64),  # an incompressible page is stored as it is (from 6.18)
    ],
    align=True,
)
ENTRY = np.dtype([("next", np.int32), ("prev", np.int32), ("referenced", np.int32)], align=True)
COUNTS = np.dtype(
    [
        ("reached_full", np.int64),  # whether the pool is refusing pages now; all others count from the start:
        ("pool_limit_hit", np.int64),  # page-outs that found the pool at its limit
        ("reject_full", np.int64),  # page-outs refused because the pool was full
        ("reject_compress_poor", np.int64),  # because the object was too large
        ("reject_alloc_fail", np.int64),  # because the allocator had no memory
        ("written_back", np.int64),  # entries moved to the device
        ("spared", np.int64),  # second chances given
    ],
    align=True,
)


class ZswapDevice(NamedTuple):
    """A device."""

    slots: slots.Slots
    rules: Any  # RULES[1]
    counts: Any  # COUNTS[1]
    entry: Any  # ENTRY[slots]: the slots that hold an object, listed from the oldest
    oldest: Any  # int32[1]


@compiled
def unlist(device: ZswapDevice, i: int) -> None:
    """Take a slot off the list of entries, if it is on it."""
    if device.slots.slot[i].what in (slots.OBJECT, slots.HUGE):
        lists.remove(device.entry, device.oldest, 0, i)


@compiled
def forget(device: ZswapDevice, allocator: Any, i: int) -> int:
    """Empty a slot; what it held."""
    unlist(device, i)
    return slots.drop(device.slots, allocator, i)


@compiled
def is_full(device: ZswapDevice, allocator: Any) -> bool:
    """Whether the pool refuses pages, noted for the next time."""
    pages = dispatch.pages(allocator)
    counts = device.counts[0]
    if pages >= device.rules[0].full_from:
        counts.pool_limit_hit += 1
        counts.reached_full = 1
    elif counts.reached_full and pages <= device.rules[0].accept_to:
        counts.reached_full = 0
    return bool(counts.reached_full)


@compiled
def write_back(device: ZswapDevice, allocator: Any) -> None:
    """One run of the worker: to the threshold, unless it spares too many entries or none is left."""
    rules, counts = device.rules[0], device.counts[0]
    spared = 0
    while device.oldest[0] != NIL and spared < RETRIES:
        i = int(device.oldest[0])
        if rules.second_chance and device.entry[i].referenced:
            device.entry[i].referenced = 0
            lists.remove(device.entry, device.oldest, 0, i)
            lists.append(device.entry, device.oldest, 0, i)
            spared += 1
        else:
            unlist(device, i)
            slots.write_back(device.slots, allocator, i)
            counts.written_back += 1
        if dispatch.pages(allocator) <= rules.accept_to:
            break
    counts.spared += spared


@compiled
def store(device: ZswapDevice, allocator: Any, size: int) -> int:
    """A handle for an object of `size` bytes, or the code of its refusal, which is counted."""
    counts = device.counts[0]
    handle = TOO_LARGE  # no pool takes an object of more than a page
    if size <= device.rules[0].page_size:
        handle = dispatch.alloc(allocator, size)
    if handle == TOO_LARGE:
        counts.reject_compress_poor += 1
    elif handle < 0:
        counts.reject_alloc_fail += 1
    return handle


@compiled
def page_out(device: ZswapDevice, allocator: Any, slot: int, page: int, size: int, fill: int) -> int:
    """Store a page of `size` compressed bytes; what became of it."""
    rules = device.rules[0]
    if rules.drop_first:
        forget(device, allocator, slot)
    by_value = fill == slots.ZERO_FILLED if rules.zeros_apart else fill != slots.MIXED
    full = not (by_value and rules.zeros_apart) and is_full(device, allocator)
    if by_value and not full:
        forget(device, allocator, slot)
        device.slots.slot[slot].what = slots.SAME
        device.slots.tally[0].same_filled += 1
        return slots.SAME
    what, handle = slots.OBJECT, NO_MEMORY
    if not full:
        slots.compress(device.slots)
        if size >= rules.page_size and rules.keep_whole:
            size, what = rules.page_size, slots.HUGE
        handle = store(device, allocator, size)
    unlist(device, slot)
    what = slots.put(device.slots, allocator, slot, handle, size, what)
    if full:
        device.counts[0].reject_full += 1
        write_back(device, allocator)
    elif handle >= 0:
        device.entry[slot].referenced = 1
        lists.append(device.entry, device.oldest, 0, slot)
    return what


@compiled
def page_in(device: ZswapDevice, allocator: Any, slot: int) -> int:
    """Read a slot; what it held. An exclusive load leaves it empty: the page in memory is the only copy then."""
    rules = device.rules[0]
    what = slots.load(device.slots, slot)
    if rules.exclusive and what not in (slots.REFUSED, slots.WRITTEN_BACK):
        if what != slots.SAME or not rules.zeros_apart:
            forget(device, allocator, slot)
    elif what == slots.OBJECT:
        lists.remove(device.entry, device.oldest, 0, slot)
        lists.append(device.entry, device.oldest, 0, slot)
    return what


@compiled
def slot_free(device: ZswapDevice, allocator: Any, slot: int) -> int:
    """Free a slot; what it held."""
    return forget(device, allocator, slot)


ERAS = {
    "6.6": {"drop_first": True},
    "6.10": {"exclusive": True},
    "6.18": {"exclusive": True, "zeros_apart": True, "second_chance": True, "keep_whole": True},
}
RELEASES = (
    Span("6.5", "6.7", "6.6"),
    Span("6.8", "6.8", "6.6", "it has a list of entries for each control group"),
    Span("6.9", "6.9", "6.10", "its limit is that of 6.6"),
    Span("6.10", "6.11", "6.10"),
    Span("6.12", "6.17", "6.18", "it refuses pages that do not compress"),
    Span("6.18", ON, "6.18"),
)


class Zswap(LimitedByRam):
    """zswap as of `era`: 6.6, 6.10 or 6.18 (mm/zswap.c of these releases; see `zswap`).

    `ram_pages` is the memory of the machine in pages, of which the pool may hold `max_pool_percent`; 0 for no limit.
    A pool that reached it takes pages again at `accept_threshold_percent` of the limit. Raises ValueError for a value
    out of range.

    6.6: a load keeps its entry, which becomes the youngest. 6.10: a load frees its entry, so that the slot is empty.
    Both: same-filled pages are kept by value, unless the pool is full, and what compresses to more than a page, or to
    more than the allocator takes, is refused. 6.18: loads as 6.10; what does not compress below a page is stored as it
    is, if the allocator takes a page; zero pages are kept by swap core (mm/page_io.c, from 6.12), full pool or not,
    and pages filled with another value are compressed as any; the worker spares every entry once.

    A page refused counts as a whole page in density; one written back has left the pool and counts nowhere. Before
    6.5 zswap had no list of entries, and the allocator chose what to write back, if it could: not modelled. Nor is
    zsmalloc's own shrinker: writeback leaves holes, which the `compact` events of a trace close.
    """

    name: ClassVar[str] = "zswap"
    releases: ClassVar[tuple[Span, ...]] = RELEASES
    unlimited: ClassVar[str] = "no page is refused as the pool is full, or written back"

    def __init__(
        self,
        era: str = "6.18",
        max_pool_percent: int = 20,
        accept_threshold_percent: int = 90,
        ram_pages: Pages = 0,
    ) -> None:
        self.era = check_era(self.name, str(era), ERAS, RELEASES)
        for key, percent in (
            ("max_pool_percent", max_pool_percent),
            ("accept_threshold_percent", accept_threshold_percent),
        ):
            if not 0 < percent <= 100:
                raise ValueError(f"{key}={percent}: give 1 to 100")
        self.max_pool_percent = max_pool_percent
        self.accept_threshold_percent = accept_threshold_percent
        super().__init__(ram_pages)

    def bounds(self) -> tuple[int, int]:
        """The pages held from which the pool is full, and those up to which it takes pages again."""
        if not self._pages:
            return NO_LIMIT, NO_LIMIT
        limit = self._pages * self.max_pool_percent // 100
        if self.era == "6.6":  # beyond the limit, and strictly below the threshold, which is rounded twice
            return limit + 1, self._pages * self.accept_threshold_percent // 100 * self.max_pool_percent // 100 - 1
        return limit, limit * self.accept_threshold_percent // 100

    def device(self, n_slots: int, allocator: Allocator, *secondary: Sizes) -> ZswapDevice:
        """See `Frontend.device`."""
        rules = arrays.records(1, RULES)
        rules["page_size"] = allocator.page_size
        rules["full_from"], rules["accept_to"] = self.bounds()
        for rule, value in ERAS[self.era].items():
            rules[rule] = value
        counts, entry = arrays.records(1, COUNTS), arrays.records(n_slots, ENTRY)
        return ZswapDevice(empty_slots(n_slots), rules, counts, entry, np.full(1, NIL, np.int32))

    def stats(self, device: ZswapDevice) -> dict[str, int]:
        """See `Frontend.stats`; and `COUNTS`, named as in the kernel's debugfs where it counts the same."""
        own = counted(device.counts[0])
        del own["reached_full"]
        return super().stats(device) | own


register_rules(ZswapDevice, Rules(page_out, page_in, slot_free))
