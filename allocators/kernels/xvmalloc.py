"""xvmalloc's rules: blocks split and coalesced inside single pages, found through 508 free lists.

Source: drivers/staging/zram/xvmalloc.c (Linux 2.6.37 to 3.2). Blocks are records here, not bytes of the page;
a block's record is its object's handle.
"""

from typing import Any, NamedTuple

import numpy as np

from allocators.jit import kernel
from allocators.kernels import arrays, bitmap, ids, lists, zone
from allocators.kernels.codes import NO_MEMORY, TOO_LARGE
from allocators.kernels.ids import NIL

SMALLEST = 32  # a smaller remainder is in no list, but still coalesces
SPACING = 8  # of the free lists, in bytes

RULES = np.dtype([("align", np.int64), ("page_size", np.int64)], align=True)
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


class Blocks(NamedTuple):
    """A pool."""

    zone: zone.Zone
    rules: Any  # RULES[1]
    block: Any  # BLOCK[capacity]
    blocks: ids.Ids
    head: Any  # int32[lists]
    marks: Any  # bitmap of the lists that have a block


@kernel
def has_room(pool: Blocks) -> bool:
    """One `alloc` makes two blocks at most: a page and a remainder."""
    return ids.has_room(pool.blocks, 2) and zone.has_room(pool.zone)


def grown(pool: Blocks) -> Blocks:
    """The pool with room for at least one more `alloc`."""
    blocks = ids.grown(pool.blocks, 2)
    more = len(blocks.link) - len(pool.block)
    block = arrays.grown(pool.block, more) if more else pool.block
    return pool._replace(zone=zone.grown(pool.zone), block=block, blocks=blocks)


@kernel
def list_of(pool: Blocks, width: int) -> int:
    """The list a free block goes on: rounded down, the last one for all that is larger."""
    return min((width - SMALLEST) // SPACING, len(pool.head) - 1)


@kernel
def insert(pool: Blocks, b: int) -> None:
    """Put a free block on its list, unless it is too small for any."""
    width = int(pool.block[b].width)
    if width >= SMALLEST:
        key = list_of(pool, width)
        lists.push(pool.block, pool.head, key, b)
        bitmap.mark(pool.marks, key)


@kernel
def remove(pool: Blocks, b: int) -> None:
    """Take a free block off its list, if it is on one."""
    width = int(pool.block[b].width)
    if width >= SMALLEST:
        key = list_of(pool, width)
        lists.remove(pool.block, pool.head, key, b)
        if pool.head[key] == NIL:
            bitmap.clear(pool.marks, key)


@kernel
def find(pool: Blocks, width: int) -> int:
    """The head of the first list all of whose blocks are large enough, or NIL."""
    key = (max(width, SMALLEST) - SMALLEST + SPACING - 1) // SPACING
    if key >= len(pool.head):
        return NIL
    key = bitmap.at_or_above(pool.marks, key)
    return NIL if key == NIL else int(pool.head[key])


@kernel
def grow(pool: Blocks) -> bool:
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


@kernel
def split(pool: Blocks, b: int, width: int) -> None:
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


@kernel
def absorb(pool: Blocks, b: int) -> None:
    """Merge the block after `b` into it."""
    block = pool.block[b]
    gone = int(block.after)
    block.width += pool.block[gone].width + pool.rules[0].align
    block.after = pool.block[gone].after
    if block.after != NIL:
        pool.block[block.after].before = b
    pool.block[gone].state = NIL
    ids.give(pool.blocks, gone)


@kernel
def alloc(pool: Blocks, size: int) -> int:
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


@kernel
def free(pool: Blocks, handle: int) -> None:
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
