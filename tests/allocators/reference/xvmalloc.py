"""xvmalloc as drivers/staging/zram/xvmalloc.c (Linux 2.6.37 to 3.3) tells it, in lists and dictionaries; slow.

A page is a list of blocks, a block a list [bytes without header, handle or None].
"""

from __future__ import annotations

Block = list[int | None]


class Xvmalloc:
    def __init__(self, align: int, page_size: int = 4096) -> None:
        self.align, self.whole = align, page_size - align
        late = {16: 4}.get(page_size.bit_length() - 1, page_size.bit_length() - 1 - 9)  # FL_DELTA_SHIFT since 2.6.39
        self.delta = 1 << (3 if align == 4 else late)
        self.last = (self.whole - 32) // self.delta
        self.held: list[list[Block]] = []
        self.lists: dict[int, list[Block]] = {key: [] for key in range(self.last + 1)}
        self.where: dict[int, list[Block]] = {}
        self.made = 0

    @property
    def pages(self) -> int:
        return len(self.held)

    def insert(self, block: Block) -> None:
        if block[0] >= 32:
            self.lists[min((block[0] - 32) // self.delta, self.last)].insert(0, block)

    def remove(self, block: Block) -> None:
        for entries in self.lists.values():
            for i, entry in enumerate(entries):
                if entry is block:
                    del entries[i]
                    return

    def find(self, size: int) -> Block | None:
        lowest = -(-max(0, size - 32) // self.delta)
        return next((self.lists[key][0] for key in range(lowest, self.last + 1) if self.lists[key]), None)

    def alloc(self, size: int) -> int | None:
        if not 1 <= size <= self.whole:
            return None
        size += -size % self.align
        block = self.find(size)
        if block is None:
            self.held.append([[self.whole, None]])
            self.insert(self.held[-1][0])
            block = self.find(size)
        if block is None:  # the quirk of align=4: the new page stays
            return None
        self.remove(block)
        page = next(page for page in self.held if any(block is other for other in page))
        at = next(i for i, other in enumerate(page) if other is block)
        if block[0] > size:
            rest: Block = [block[0] - size - self.align, None]
            page.insert(at + 1, rest)
            self.insert(rest)
        handle, self.made = self.made, self.made + 1
        block[:] = [size, handle]
        self.where[handle] = page
        return handle

    def free(self, handle: int) -> None:
        page = self.where.pop(handle)
        at = next(i for i, block in enumerate(page) if block[1] == handle)
        page[at][1] = None
        for left in (at, at - 1):
            if left >= 0 and left + 1 < len(page) and page[left][1] is None and page[left + 1][1] is None:
                self.remove(page[left])
                self.remove(page[left + 1])
                page[left][0] += page[left + 1][0] + self.align
                del page[left + 1]
                at = left
        if len(page) == 1:
            self.held = [other for other in self.held if other is not page]
        else:
            self.insert(page[at])

    def compact(self) -> None:
        pass
