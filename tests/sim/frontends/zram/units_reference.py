"""zram with units once more, in dictionaries: what each slot holds, and which slots share a block."""

from __future__ import annotations

from dataclasses import dataclass, field

from allocators import Allocator, NoMemory
from sim.frontends.compiled import slots

PAGE = 4096


@dataclass
class Block:
    """An object: of one page, or of a unit."""

    what: int
    handle: int
    size: int
    pages: dict[int, int]  # slot: page


@dataclass
class UnitsReference:
    """`size` and `fill` by page, or by the pages of a unit."""

    allocator: Allocator
    size: dict[int | tuple[int, ...], int]
    fill: dict[int | tuple[int, ...], int]
    huge: int
    huge_unit: int
    limit: int = 0
    zeros_apart: bool = False
    blocks: dict[int, Block] = field(default_factory=dict)  # by slot
    same: dict[int, bool] = field(default_factory=dict)  # slot: whether swap core keeps it
    refused: set[int] = field(default_factory=set)
    most_pages: int = 0
    huge_since: int = 0
    refusals: int = 0
    device_reads: int = 0
    writes: int = 0
    reads: list[int] = field(default_factory=list)  # pages decompressed by each
    splits: int = 0
    split_pages: list[int] = field(default_factory=list)

    def drop(self, slot: int) -> int:
        """Empty a slot, and all others of its block."""
        block = self.blocks.get(slot)
        if block:
            self.allocator.free(block.handle)
            for member in block.pages:
                del self.blocks[member]
            return block.what
        if slot in self.same:
            del self.same[slot]
            return slots.SAME
        if slot in self.refused:
            self.refused.remove(slot)
            return slots.REFUSED
        return slots.EMPTY

    def free(self, slot: int) -> int:
        block = self.blocks.get(slot)
        what = self.drop(slot)
        if block and len(block.pages) > 1:
            self.splits += 1
            for member, page in block.pages.items():
                if member == slot:
                    continue
                if self.fill[page] != slots.MIXED:
                    self.same[member] = False
                    continue
                self.split_pages.append(page)
                if self.put({member: page}, self.size[page], self.huge, limited=False) == slots.REFUSED:
                    self.refuse(member)
        return what

    def refuse(self, slot: int) -> None:
        self.refused.add(slot)
        self.refusals += 1

    def put(self, pages: dict[int, int], size: int, huge: int, limited: bool = True) -> int:
        """A new object for slots that are empty when it is there; REFUSED if there is no room, EMPTY at the limit."""
        what = slots.OBJECT
        if size >= huge:
            what, size = slots.HUGE, PAGE * len(pages)
        try:
            handle = self.allocator.alloc(size)
        except NoMemory:
            self.most_pages = max(self.most_pages, 0 if limited else self.allocator.pages)
            return slots.REFUSED
        self.most_pages = max(self.most_pages, self.allocator.pages)
        if limited and self.limit and self.allocator.pages > self.limit:
            self.allocator.free(handle)
            return slots.EMPTY
        for slot in pages:
            self.drop(slot)
        self.huge_since += what == slots.HUGE
        self.blocks |= dict.fromkeys(pages, Block(what, handle, size, pages))
        return what

    def write(self, slot: int, page: int) -> int:
        if slot in self.blocks and len(self.blocks[slot].pages) > 1:
            self.free(slot)
        if self.fill[page] != slots.MIXED:
            self.drop(slot)
            self.same[slot] = self.zeros_apart and self.fill[page] == slots.ZERO_FILLED
            return slots.SAME
        what = self.put({slot: page}, self.size[page], self.huge)
        if what == slots.REFUSED:
            self.drop(slot)
            self.refuse(slot)
        elif what == slots.EMPTY:
            self.refusals += 1
            if slot not in self.blocks and slot not in self.same:
                self.refused.add(slot)
            return slots.REFUSED
        return what

    def write_of_unit(self, members: list[int], pages: list[int], slot: int) -> int:
        """The page-out of one slot of a unit: the first empties all, the last stores all."""
        key = tuple(pages)
        if slot == members[0]:
            for member in members:
                self.drop(member)
        if self.fill[key] != slots.MIXED:
            self.same[slot] = self.zeros_apart and self.fill[key] == slots.ZERO_FILLED
            return slots.SAME
        if slot != members[-1]:
            return slots.HUGE if self.size[key] >= self.huge_unit else slots.OBJECT
        what = self.put(dict(zip(members, pages, strict=True)), self.size[key], self.huge_unit)
        if what in (slots.REFUSED, slots.EMPTY):
            for member in members:
                self.refuse(member)
            return slots.REFUSED
        self.writes += 1
        return what

    def read(self, slot: int) -> int:
        if slot in self.blocks:
            block = self.blocks[slot]
            if block.what == slots.OBJECT:
                self.reads.append(len(block.pages))
            return block.what
        self.device_reads += slot in self.refused
        return slots.SAME if slot in self.same else slots.REFUSED if slot in self.refused else slots.EMPTY

    def state(self) -> tuple[int, ...]:
        """Pages, objects (pages in them), bytes, same-filled and refused ones."""
        size = sum(block.size / len(block.pages) for block in self.blocks.values())
        return self.allocator.pages, len(self.blocks), round(size), len(self.same), len(self.refused)

    def mm_stat(self) -> tuple[int, ...]:
        """Without mem_limit and pages_compacted."""
        pages, objects, size, same, _ = self.state()
        same -= sum(self.same.values())
        huge = sum(1 / len(block.pages) for block in self.blocks.values() if block.what == slots.HUGE)
        return (objects + same) * PAGE, size, pages * PAGE, self.most_pages * PAGE, same, round(huge), self.huge_since

    def stats(self) -> dict[str, int]:
        return {
            "refusals": self.refusals,
            "device_reads": self.device_reads,
            "device_writes": self.refusals,
            "unit_writes": self.writes,
            "unit_reads": sum(pages > 1 for pages in self.reads),
            "object_reads": len(self.reads),
            "pages_decompressed": sum(self.reads),
            "splits": self.splits,
            "split_pages": len(self.split_pages),
        }
