"""zblock's rules: blocks of a few pages cut into equal slots, one list of blocks with room for each type of block.

Source: mm/zblock.c as proposed in 2025, never in a release: v2 and v4 of the patch, whose blocks are 1, 2, 4 or 8
physically adjacent pages, and the last one, whose blocks are 1 to 8 pages of vmalloc's. A handle is 256 * block + slot.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from allocators import zone
from allocators.base import CompiledAllocator, Ints, Placement
from allocators.compiled import arrays, bitmap, ids, lists
from allocators.compiled.codes import NO_MEMORY, TOO_LARGE
from allocators.compiled.dispatch import Rules, register_rules
from allocators.compiled.ids import NIL
from allocators.compiled.jit import compiled
from allocators.errors import AllocatorError
from allocators.zone import PageZone

SLOTS = 256  # more than any block has
ALIGN = 8  # bytes

TYPE = np.dtype(
    [
        ("width", np.int64),  # of a slot, bytes
        ("slots", np.int64),  # of a block
        ("pages", np.int64),  # of a block
        ("order", np.int64),  # of what it takes from the page allocator
        ("blocks", np.int64),
        ("objects", np.int64),
    ],
    align=True,
)
BLOCK = np.dtype(
    [
        ("type", np.int32),  # NIL for no block
        ("used", np.int32),  # slots
        ("next", np.int32),
        ("prev", np.int32),
    ],
    align=True,
)


class ZblockPool(NamedTuple):
    """The state."""

    zone: zone.Zone
    type_of: Any  # int16[page_size]: size -> type, NIL for none
    type: Any  # TYPE[types], by width
    head: Any  # int32[types]: lists of blocks with a free slot
    block: Any  # BLOCK[capacity]
    blocks: ids.Ids
    page: Any  # int32[capacity, most pages]: first page of each 2**order
    free: Any  # int64[capacity, words]: bitmap of the free slots


@compiled
def has_room(pool: ZblockPool) -> bool:
    """Whether one more `alloc` cannot overflow any array."""
    return ids.has_room(pool.blocks, 1) and zone.has_room(pool.zone)


def grown(pool: ZblockPool) -> ZblockPool:
    """The pool with room for at least one more `alloc`."""
    blocks = ids.grown(pool.blocks, 1)
    block, page, free = (arrays.extended(array, len(blocks.link)) for array in (pool.block, pool.page, pool.free))
    return pool._replace(zone=zone.grown(pool.zone), block=block, blocks=blocks, page=page, free=free)


@compiled
def give_pages(pool: ZblockPool, b: int, order: int, count: int) -> None:
    """Give back the first `count` pages of a block."""
    for i in range(0, count, 1 << order):
        zone.give(pool.zone, int(pool.page[b, i]), order)


@compiled
def create(pool: ZblockPool, t: int) -> int:
    """An empty block at the head of its type's list, or NIL when the zone has no pages for it."""
    kind = pool.type[t]
    b = ids.take(pool.blocks)
    for i in range(0, kind.pages, 1 << kind.order):
        page = zone.take(pool.zone, kind.order)
        if page == NIL:
            give_pages(pool, b, kind.order, i)
            ids.give(pool.blocks, b)
            return NIL
        pool.page[b, i] = page
    pool.block[b].type = t
    pool.block[b].used = 0
    pool.free[b] = 0
    for slot in range(kind.slots):
        bitmap.mark(pool.free[b], slot)
    lists.push(pool.block, pool.head, t, b)
    kind.blocks += 1
    return b


@compiled
def release(pool: ZblockPool, b: int) -> None:
    """Give back a block without objects."""
    t = int(pool.block[b].type)
    kind = pool.type[t]
    lists.remove(pool.block, pool.head, t, b)
    give_pages(pool, b, kind.order, kind.pages)
    pool.block[b].type = NIL
    ids.give(pool.blocks, b)
    kind.blocks -= 1


@compiled
def alloc(pool: ZblockPool, size: int) -> int:
    """A handle, or a code of `codes`."""
    if size < 1 or size >= len(pool.type_of):
        return TOO_LARGE
    t = int(pool.type_of[size])
    if t == NIL:
        return TOO_LARGE
    b = int(pool.head[t])
    if b == NIL:
        b = create(pool, t)
        if b == NIL:
            return NO_MEMORY
    slot = bitmap.at_or_above(pool.free[b], 0)
    bitmap.clear(pool.free[b], slot)
    pool.block[b].used += 1
    pool.type[t].objects += 1
    if pool.block[b].used == pool.type[t].slots:
        lists.remove(pool.block, pool.head, t, b)
    return b * SLOTS + slot


@compiled
def free(pool: ZblockPool, handle: int) -> None:
    """Free a handle that is in use; a block that was full goes to the end of its list."""
    b = handle // SLOTS
    t = int(pool.block[b].type)
    bitmap.mark(pool.free[b], handle % SLOTS)
    pool.block[b].used -= 1
    pool.type[t].objects -= 1
    if pool.block[b].used == pool.type[t].slots - 1:
        lists.append(pool.block, pool.head, t, b)
    elif pool.block[b].used == 0:
        release(pool, b)


@compiled
def lock(pool: ZblockPool, handle: int) -> int:
    """Each list has a lock: the number of the block's type."""
    return int(pool.block[handle // SLOTS].type)


class Table(NamedTuple):
    """The types of blocks of one version at one page size."""

    header: int  # bytes, at the start of a block
    slots: dict[int, tuple[int, ...]]  # of each type, by the pages of its block

    def types(self, page_size: int) -> list[tuple[int, int, int]]:
        """(width of a slot in bytes, slots, pages) of each type, by width; a slot's width is a multiple of 8."""
        shapes = [(slots, pages) for pages, several in self.slots.items() for slots in several]
        return sorted(
            ((pages * page_size - self.header) // slots // ALIGN * ALIGN, slots, pages) for slots, pages in shapes
        )


TABLES = {
    "v2": {
        4096: Table(
            header=32,
            slots={
                1: (32, 22, 17, 13, 11, 9, 8),
                2: (14, 12, 11, 10, 9, 8),
                4: (15, 14, 13, 12, 11, 10, 9, 8),
                8: (15, 14, 13, 12, 11, 10, 9, 7),
            },
        ),
    },
    "v4": {
        4096: Table(
            header=40,
            slots={
                1: (63, 32, 21, 15, 12, 10, 9, 8, 6, 5),
                2: (13, 11, 9, 8),
                4: (29, 13, 12, 11, 10, 9, 8, 6, 4),
                8: (29, 17, 15, 14, 13, 11, 10, 9),
            },
        ),
        16384: Table(
            header=56,
            slots={
                1: (255, 185, 145, 113, 92, 75, 60, 51, 43, 37, 32, 27, 23, 19, 17, 15, 13, 11, 10, 9, 8),
                2: (15, 14, 13, 12, 11, 10, 9, 8),
                4: (15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5),
            },
        ),
    },
    "vmalloc": {
        4096: Table(
            header=48,
            slots={
                1: (28, 18, 12, 10, 6, 5, 4, 2),
                2: (17, 15, 13, 11, 9, 7, 6, 5),
                3: (11, 10, 8),
                4: (19, 17, 9, 6, 4),
                5: (14, 12, 9, 6),
                6: (23, 19),
                7: (15, 12, 9),
                8: (15, 13, 11, 9),
            },
        ),
        16384: Table(
            header=72,
            slots={
                1: (185, 113, 86, 72, 58, 49, 42, 37, 33, 27, 25, 23, 21, 12, 11, 10, 9, 8, 4),
                2: (59, 39, 37, 35, 33, 31, 29, 27, 25, 21, 19, 17, 15, 14, 13, 12, 11, 10, 9, 7, 6, 5, 4, 3),
                3: (11, 10, 8, 7),
                4: (27, 25, 23, 21, 19, 17, 11, 4),
                5: (16, 11, 9, 8),
                6: (23, 7),
            },
        ),
    },
}


class Zblock(CompiledAllocator):
    """zblock, proposed in 2025 and never merged: `version` v2, v4, or vmalloc, the last one.

    An object takes a slot that is larger than it: of exactly a slot's size, it goes one type up. A page or more is
    refused, and so is what no slot is larger than: v4 and vmalloc end at 4,079 bytes of a 4-KiB page. (At 4,080 the
    code of vmalloc reads past its table; here that is refused.)

    No object needs a mapping of its own, for the pages of a block are adjacent: in v2 and v4 physically, so that a
    block of 2, 4 or 8 must be found; in vmalloc virtually, from any single pages, for as long as the block lives. What
    setting up that address range costs has not been measured and is not charged.
    """

    name: ClassVar[str] = "zblock"
    state: ZblockPool

    def __init__(self, version: str = "vmalloc", page_size: int = 4096, zone: PageZone | None = None) -> None:
        super().__init__(page_size, zone)
        if version not in TABLES:
            raise AllocatorError(f"zblock: version={version} is unknown; use {', '.join(TABLES)}")
        if page_size not in TABLES[version]:
            sizes = " and ".join(map(str, TABLES[version]))
            raise AllocatorError(f"zblock: version={version} has tables for pages of {sizes} bytes, not of {page_size}")
        self.version = version
        self.header = TABLES[version][page_size].header
        types = TABLES[version][page_size].types(page_size)
        table = arrays.records(len(types), TYPE)
        table["width"], table["slots"], table["pages"] = np.array(types).T
        if version != "vmalloc":
            table["order"] = np.log2(table["pages"])
            self.block_order = 2  # 0 to 3; what a page of a block costs to take is priced by one order
        type_of = np.searchsorted(table["width"], np.arange(page_size), side="right").astype(np.int16)
        type_of[type_of == len(types)] = NIL
        self.state = ZblockPool(
            zone=self.zone.state,
            type_of=type_of,
            type=table,
            head=np.full(len(types), NIL, np.int32),
            block=arrays.records(arrays.ROOM, BLOCK),
            blocks=ids.make(arrays.ROOM),
            page=np.zeros((arrays.ROOM, int(table["pages"].max())), np.int32),
            free=np.zeros((arrays.ROOM, -(-int(table["slots"].max()) // 32)), np.int64),
        )

    def holds(self, handle: int) -> bool:
        """See `CompiledAllocator.holds`."""
        b, slot = divmod(handle, SLOTS)
        if not 0 <= b < int(self.state.blocks.top[1]) or int(self.state.block[b].type) == NIL:
            return False
        kind = self.state.type[int(self.state.block[b].type)]
        return slot < int(kind.slots) and slot not in self._free_slots(b)

    def _free_slots(self, b: int) -> set[int]:
        words = self.state.free[b]
        return {slot for slot in range(32 * len(words)) if words[slot >> 5] >> (slot & 31) & 1}

    def placement(self, handle: int) -> Placement:
        """The whole slot, in the pages that it lies in."""
        self.require_handle(handle)
        b, slot = divmod(handle, SLOTS)
        kind = self.state.type[int(self.state.block[b].type)]
        start = self.header + slot * int(kind.width)
        end = start + int(kind.width)
        parts = []
        while start < end:
            nth, offset = divmod(start, self.page_size)
            above = nth % (1 << int(kind.order))
            length = min(end - start, self.page_size - offset)
            parts.append((int(self.state.page[b, nth - above]) + above, offset, length))
            start += length
        return Placement(tuple(parts), adjacent=True)

    def size_class_of(self, size: Ints) -> Ints:
        """See `Allocator.size_class_of`: the type of block; one more for what is refused."""
        types = np.append(self.state.type_of, np.int16(NIL))[size].astype(np.int64)
        return np.where(types == NIL, len(self.state.type), types)

    def class_usage(self, sizes: Ints) -> list[dict[str, int]]:
        """See `Allocator.class_usage`: a row a type of block; `tail` includes the header."""
        kinds = self.state.type
        stored = np.bincount(self.state.type_of[sizes], weights=sizes, minlength=len(kinds)).astype(np.int64).tolist()
        rows = []
        for kind, held in zip(kinds, stored, strict=True):
            width, slots, pages, _, blocks, objects = kind.tolist()
            if blocks:
                row = {"class_size": width, "class_pages": pages, "class_objects": slots, "zspages": blocks}
                row |= {"objects": objects, "stored": held, "rounding": objects * width - held}
                row |= {"unused": (blocks * slots - objects) * width}
                rows.append(row | {"tail": blocks * (pages * self.page_size - slots * width)})
        return rows

    def moved(self) -> Ints:
        """See `Allocator.moved`: a row a type of block, for each has a lock; nothing moves."""
        return np.zeros((len(self.state.type), 2), np.int64)

    def check(self) -> None:
        """Recount pages, slots and lists."""
        self.zone.check()
        state = self.state
        types = range(len(state.type))
        listed = {b: t for t in types for b in lists.members(state.block, state.head, t)}
        counts = np.zeros((len(types), 2), np.int64)
        pages = []
        for b in ids.in_use(state.blocks):
            t, used = int(state.block[b].type), int(state.block[b].used)
            self.require(t in types, f"block {b} is of type {t}")
            kind = state.type[t]
            free = self._free_slots(b)
            self.require(not free or max(free) < int(kind.slots), f"block {b} has more than {kind.slots} slots")
            self.require(0 < used == int(kind.slots) - len(free), f"block {b}: {used} slots in use, {len(free)} free")
            self.require(listed.get(b) == (t if free else None), f"block {b} is on no list or a wrong one")
            counts[t] += 1, used
            firsts = state.page[b, : int(kind.pages) : 1 << int(kind.order)].tolist()
            pages += [first + i for first in firsts for i in range(1 << int(kind.order))]
        for t in types:
            kept = int(state.type[t].blocks), int(state.type[t].objects)
            self.require(tuple(counts[t]) == kept, f"type {t} has {counts[t].tolist()} blocks and objects, not {kept}")
        self.require(len(set(pages)) == len(pages) == self.pages, f"{len(pages)} pages in use, {self.pages} held")

    def stats(self) -> dict[str, int]:
        """Pages, and the blocks they are in."""
        return {"pages": self.pages, "blocks": int(self.state.type["blocks"].sum())}


register_rules(ZblockPool, Rules(alloc, free, has_room, grown, lock=lock))
