"""xvmalloc's rules: blocks split and coalesced inside single pages, found through 508 free lists in pages of 4 KiB.

Source: drivers/staging/zram/xvmalloc.c and xvmalloc_int.h (Linux 2.6.37 to 3.3). Blocks are records here, not bytes of
the page; a block's record is its object's handle.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from allocators import zone
from allocators.base import CompiledAllocator, Placement
from allocators.compiled import arrays, bitmap, ids, lists
from allocators.compiled.codes import NO_MEMORY, TOO_LARGE
from allocators.compiled.dispatch import Rules, register_rules
from allocators.compiled.ids import NIL
from allocators.compiled.jit import compiled
from allocators.errors import AllocatorError
from allocators.zone import PageZone

SMALLEST = 32  # a smaller remainder is in no list, but still coalesces

RULES = np.dtype([("align", np.int64), ("spacing", np.int64), ("page_size", np.int64)], align=True)
BLOCK = np.dtype(
    [
        ("page", np.int32),
        ("offset", np.int32),  # of its header
        ("width", np.int32),  # bytes behind the header
        ("state", np.int32),  # FREE or USED, NIL for no block
        ("before", np.int32),  # neighbours in the page
        ("after", np.int32),
        ("next", np.int32),  # in its free list
        ("prev", np.int32),
    ],
    align=True,
)
FREE, USED = 0, 1


class XvmallocPool(NamedTuple):
    """The state."""

    zone: zone.Zone
    rules: Any  # RULES[1]
    block: Any  # BLOCK[capacity]
    blocks: ids.Ids
    head: Any  # int32[lists]
    marks: Any  # bitmap of the lists that have a block


@compiled
def has_room(pool: XvmallocPool) -> bool:
    """One `alloc` makes two blocks at most: a page and a remainder."""
    return ids.has_room(pool.blocks, 2) and zone.has_room(pool.zone)


def grown(pool: XvmallocPool) -> XvmallocPool:
    """The pool with room for at least one more `alloc`."""
    blocks = ids.grown(pool.blocks, 2)
    block = arrays.extended(pool.block, len(blocks.link))
    return pool._replace(zone=zone.grown(pool.zone), block=block, blocks=blocks)


def spacing(align: int, page_size: int) -> int:
    """Bytes from one free list to the next (FL_DELTA): always 8 in 2.6.37; later by the size of a page."""
    if align == 4:
        return 8
    return 16 if page_size == 65536 else page_size // 512


@compiled
def list_of(pool: XvmallocPool, width: int) -> int:
    """The list a free block goes on: rounded down, the last one for all that is larger."""
    return min((width - SMALLEST) // pool.rules[0].spacing, len(pool.head) - 1)


@compiled
def insert(pool: XvmallocPool, b: int) -> None:
    """Put a free block on its list, unless it is too small for any."""
    width = int(pool.block[b].width)
    if width >= SMALLEST:
        key = list_of(pool, width)
        lists.push(pool.block, pool.head, key, b)
        bitmap.mark(pool.marks, key)


@compiled
def remove(pool: XvmallocPool, b: int) -> None:
    """Take a free block off its list, if it is on one."""
    width = int(pool.block[b].width)
    if width >= SMALLEST:
        key = list_of(pool, width)
        lists.remove(pool.block, pool.head, key, b)
        if pool.head[key] == NIL:
            bitmap.clear(pool.marks, key)


@compiled
def find(pool: XvmallocPool, width: int) -> int:
    """The head of the first list all of whose blocks are large enough, or NIL."""
    key = -((SMALLEST - max(width, SMALLEST)) // pool.rules[0].spacing)
    if key >= len(pool.head):
        return NIL
    key = bitmap.at_or_above(pool.marks, key)
    return NIL if key == NIL else int(pool.head[key])


@compiled
def grow(pool: XvmallocPool) -> bool:
    """Add a page as one free block."""
    page = zone.take(pool.zone, 0)
    if page == NIL:
        return False
    b = ids.take(pool.blocks)
    block = pool.block[b]
    block.page = page
    block.offset = 0
    block.width = pool.rules[0].page_size - pool.rules[0].align
    block.state = FREE
    block.before = NIL
    block.after = NIL
    insert(pool, b)
    return True


@compiled
def split(pool: XvmallocPool, b: int, width: int) -> None:
    """Cut a block down to `width`; the rest, if only a header, becomes a free block of its own."""
    block = pool.block[b]
    rest = block.width - width
    if rest == 0:
        return
    r = ids.take(pool.blocks)
    remainder = pool.block[r]
    remainder.page = block.page
    remainder.offset = block.offset + pool.rules[0].align + width
    remainder.width = rest - pool.rules[0].align
    remainder.state = FREE
    remainder.before = b
    remainder.after = block.after
    if block.after != NIL:
        pool.block[block.after].before = r
    block.after = r
    block.width = width
    insert(pool, r)


@compiled
def absorb(pool: XvmallocPool, b: int) -> None:
    """Merge the block after `b` into it."""
    block = pool.block[b]
    gone = int(block.after)
    block.width += pool.block[gone].width + pool.rules[0].align
    block.after = pool.block[gone].after
    if block.after != NIL:
        pool.block[block.after].before = b
    pool.block[gone].state = NIL
    ids.give(pool.blocks, gone)


@compiled
def alloc(pool: XvmallocPool, size: int) -> int:
    """A handle, or a code of `codes`."""
    align = pool.rules[0].align
    if size < 1 or size > pool.rules[0].page_size - align:
        return TOO_LARGE
    width = -(-size // align) * align
    b = find(pool, width)
    if b == NIL:
        if not grow(pool):
            return NO_MEMORY
        b = find(pool, width)
        if b == NIL:  # the search rounds up past the last list: the page stays in the pool
            return TOO_LARGE
    remove(pool, b)
    split(pool, b, width)
    pool.block[b].state = USED
    return b


@compiled
def free(pool: XvmallocPool, handle: int) -> None:
    """Free a handle that is in use; a page that becomes one free block is released."""
    b = handle
    after = int(pool.block[b].after)
    if after != NIL and pool.block[after].state == FREE:
        remove(pool, after)
        absorb(pool, b)
    before = int(pool.block[b].before)
    if before != NIL and pool.block[before].state == FREE:
        remove(pool, before)
        absorb(pool, before)
        b = before
    if pool.block[b].width == pool.rules[0].page_size - pool.rules[0].align:
        zone.give(pool.zone, int(pool.block[b].page), 0)
        pool.block[b].state = NIL
        ids.give(pool.blocks, b)
    else:
        pool.block[b].state = FREE
        insert(pool, b)


class Xvmalloc(CompiledAllocator):
    """xvmalloc with a header of `align` bytes: 4 (Linux 2.6.37) or 8 (the later 64-bit header).

    2.6.37 has too few bits in its bitmap of free lists for pages of 64 KiB. The model has enough.
    """

    name: ClassVar[str] = "xvmalloc"
    records_size = True
    state: XvmallocPool

    def __init__(self, align: int = 4, page_size: int = 4096, zone: PageZone | None = None) -> None:
        super().__init__(page_size, zone)
        if align not in (4, 8):
            raise AllocatorError(f"xvmalloc: align={align} is unknown; use 4 or 8")
        self.align = align
        rules = arrays.records(1, RULES)
        rules["align"], rules["spacing"], rules["page_size"] = align, spacing(align, page_size), page_size
        count = (page_size - align - SMALLEST) // spacing(align, page_size) + 1
        self.state = XvmallocPool(
            zone=self.zone.state,
            rules=rules,
            block=arrays.records(arrays.ROOM, BLOCK),
            blocks=ids.make(arrays.ROOM),
            head=np.full(count, NIL, np.int32),
            marks=np.zeros(-(-count // 32), np.int64),
        )

    def holds(self, handle: int) -> bool:
        """See `CompiledAllocator.holds`."""
        used = 0 <= handle < int(self.state.blocks.top[1])
        return used and int(self.state.block[handle].state) == USED

    def placement(self, handle: int) -> Placement:
        """One range of one page: the object, rounded up to `align`, behind its header."""
        self.require_handle(handle)
        block = self.state.block[handle]
        return Placement(((int(block.page), int(block.offset) + self.align, int(block.width)),))

    def check(self) -> None:
        """Recount pages, the blocks of each, and the free lists."""
        self.zone.check()
        block = self.state.block
        live = ids.in_use(self.state.blocks)
        listed = {b: key for key in range(len(self.state.head)) for b in lists.members(block, self.state.head, key)}
        firsts = [b for b in live if block[b].before == NIL]
        seen = 0
        for first in firsts:
            offset, b, before = 0, first, NIL
            while b != NIL:
                entry = block[b]
                self.require((entry.offset, entry.before) == (offset, before), f"block {b} is out of place")
                free = entry.state == FREE
                self.require(not (free and before != NIL and block[before].state == FREE), "not coalesced")
                on_list = free and entry.width >= SMALLEST
                self.require((b in listed) == on_list, f"block {b} is on no list or a wrong one")
                if on_list:
                    key = min((int(entry.width) - SMALLEST) // self.state.rules[0].spacing, len(self.state.head) - 1)
                    self.require(listed[b] == key, f"block {b} is on list {listed[b]}, not {key}")
                offset += int(entry.width) + self.align
                before, b = b, int(entry.after)
                seen += 1
            self.require(offset == self.page_size, f"the blocks of page {block[first].page} fill {offset} bytes")
        self.require(seen == len(live), "blocks in no page")
        self.require(len(firsts) == self.pages, f"{len(firsts)} pages in use, {self.pages} held")
        for key, head in enumerate(self.state.head):
            marked = bool(self.state.marks[key >> 5] >> (key & 31) & 1)
            self.require(marked == (head != NIL), f"bitmap of list {key}")


register_rules(XvmallocPool, Rules(alloc, free, has_room, grown))
