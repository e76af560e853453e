"""What the timing stage needs to know of an event: noted before and after the event is replayed.

Nothing here changes what the frontend or the allocator does.
"""

from typing import Any, NamedTuple

import numpy as np

from allocators.compiled import dispatch
from allocators.compiled.jit import compiled
from sim.frontends.compiled import dispatch as frontends
from sim.frontends.compiled import slots
from sim.frontends.compiled.slots import HUGE, OBJECT
from sim.replay import readahead
from workloads.traces.events import COMPACT, IN, OUT

NO_LOCK = -1
HELD = 12

DETAIL = np.dtype(
    [
        ("page", np.int32),  # the unique page written, or last written to the slot; -1 for none
        ("bytes", np.int32),  # of the object stored or read
        ("decompress_ns", np.int64),  # of what is read, by the codec that made it
        ("lock", np.int32),  # of the allocator, for the object stored; NO_LOCK when nothing was
        ("free_lock", np.int32),  # for the object freed
        ("allocated", np.int32),  # physical pages taken
        ("released", np.int32),  # and given back
        ("reads", np.int32),  # pages read from the swap device
        ("writes", np.int32),  # and written to it
        ("compressed", np.uint8),  # whether the page was compressed
        ("spans", np.uint8),  # whether the object stored or read lies in several pages
        ("no_page", np.uint8),  # whether no physical page was free
        ("cached", np.uint8),  # a page-in that finds its page in the swap cache
        ("ahead", np.int32),  # pages that a page-in read besides its own
        ("ahead_objects", np.int32),  # of which objects of the pool,
        ("ahead_spans", np.int32),  # objects that span pages,
        ("ahead_reads", np.int32),  # pages of the device
        ("ahead_bytes", np.int32),  # bytes of objects that are whole pages
        ("ahead_ns", np.int64),  # time to decompress them
        ("dropped", np.int32),  # pages read ahead that are given up unused now
        ("split_pages", np.int32),  # out of units, compressed by themselves,
        ("split_bytes", np.int32),  # what was stored of them,
        ("split_compress_ns", np.int64),  # the time it took,
        ("split_decompress_ns", np.int64),  # and that to decompress the units
    ],
    align=True,
)


class Log(NamedTuple):
    """Where it is noted."""

    row: Any  # DETAIL[n], one for each event of the batch
    page_of: Any  # int32[slots]: the unique page last written to a slot, -1 for none
    decompress_ns: Any  # int64[compressors, unique pages]
    cache: readahead.Cache
    held: Any  # int64[HELD]: what `before` leaves for `after`


@compiled
def decompress_ns(log: Any, device: Any, slot: int) -> int:
    """How long it takes to decompress what a slot holds."""
    algorithm = frontends.algorithm(device, slot)
    if algorithm < 0:
        return 0
    return log.decompress_ns[algorithm, frontends.made_of(device, slot, log.page_of[slot])]


@compiled
def before(log: Log, device: Any, allocator: Any, kind: int, slot: int, page: int, i: int) -> None:
    """Note event `i` before it is replayed."""
    row, held, tally, entry = log.row[i], log.held, device.slots.tally[0], device.slots.slot[slot]
    if kind == OUT:
        log.page_of[slot] = page
    row.page = log.page_of[slot] if kind != COMPACT else -1
    row.bytes = 0
    row.decompress_ns = 0
    row.lock = NO_LOCK
    row.free_lock = NO_LOCK
    row.spans = 0
    held[0] = NO_LOCK
    if kind == IN and entry.what in (OBJECT, HUGE):
        row.bytes = frontends.reads(device, slot)
    if kind == IN:
        row.decompress_ns = decompress_ns(log, device, slot)
    if slots.in_pool(device.slots, slot):
        held[0] = dispatch.lock(allocator, entry.handle)
        if kind == IN:
            row.spans = dispatch.spans(allocator, entry.handle)
    held[1] = entry.handle
    held[2] = dispatch.pages_allocated(allocator)
    held[3] = dispatch.pages(allocator)
    held[7] = tally.outside
    held[4] = tally.device_reads
    held[5] = tally.device_writes
    held[6] = tally.compressions
    held[8] = tally.split_pages
    held[9] = tally.split_bytes
    held[10] = tally.split_compress_ns
    held[11] = tally.split_decompress_ns
    row.no_page = dispatch.no_free_page(allocator)
    readahead.look(log, device, allocator, kind, slot, i)


@compiled
def after(log: Log, device: Any, allocator: Any, kind: int, slot: int, what: int, i: int) -> None:
    """Note event `i` after it was replayed; `what` came of it."""
    row, held, tally, entry = log.row[i], log.held, device.slots.tally[0], device.slots.slot[slot]
    stored = kind == OUT and what in (OBJECT, HUGE) and entry.what == what  # else it waits for others
    pooled = slots.in_pool(device.slots, slot)
    if stored:
        row.bytes = entry.bytes
        if pooled:
            row.lock = dispatch.lock(allocator, entry.handle)
            row.spans = dispatch.spans(allocator, entry.handle)
    if held[0] != NO_LOCK and (stored or not (pooled and entry.handle == held[1])):
        row.free_lock = held[0]
    outside = tally.outside - held[7]
    allocated = max(0, dispatch.pages_allocated(allocator) - held[2])
    row.allocated = allocated + max(0, outside)
    row.released = max(0, held[3] + allocated - dispatch.pages(allocator)) + max(0, -outside)
    row.reads = tally.device_reads - held[4]
    row.writes = tally.device_writes - held[5]
    row.compressed = tally.compressions - held[6]
    row.split_pages = tally.split_pages - held[8]
    row.split_bytes = tally.split_bytes - held[9]
    row.split_compress_ns = tally.split_compress_ns - held[10]
    row.split_decompress_ns = tally.split_decompress_ns - held[11]
