"""zblock as mm/zblock.c (proposed in 2025) tells it, in lists and dictionaries; slow. Its tables are the golden ones.

A block is a dictionary slot -> handle.
"""

from __future__ import annotations

import csv
from pathlib import Path

TABLES = Path(__file__).parents[2] / "golden" / "allocators" / "block_types.csv"

Block = dict[int, int]


class Zblock:
    def __init__(self, version: str, page_size: int = 4096) -> None:
        rows = list(csv.DictReader(TABLES.open()))
        mine = [row for row in rows if (row["version"], row["page_size"]) == (version, str(page_size))]
        self.page_size = page_size
        self.width, self.slots, self.cost = (
            [int(row[column]) for row in mine] for column in ("slot_size", "slots", "pages")
        )
        self.held: list[list[Block]] = [[] for _ in mine]
        self.active: list[list[Block]] = [[] for _ in mine]
        self.where: dict[int, tuple[int, Block]] = {}
        self.made = 0

    @property
    def pages(self) -> int:
        return sum(cost * len(blocks) for cost, blocks in zip(self.cost, self.held, strict=True))

    def alloc(self, size: int) -> int | None:
        kind = next((i for i, width in enumerate(self.width) if size < width), None)
        if kind is None or not 0 < size < self.page_size:
            return None
        if not self.active[kind]:
            self.held[kind].append({})
            self.active[kind].insert(0, self.held[kind][-1])
        block = self.active[kind][0]
        handle, self.made = self.made, self.made + 1
        block[next(slot for slot in range(self.slots[kind]) if slot not in block)] = handle
        if len(block) == self.slots[kind]:
            del self.active[kind][0]
        self.where[handle] = kind, block
        return handle

    def free(self, handle: int) -> None:
        kind, block = self.where.pop(handle)
        del block[next(slot for slot, other in block.items() if other == handle)]
        if len(block) == self.slots[kind] - 1:
            self.active[kind].append(block)
        if not block:
            for blocks in (self.active[kind], self.held[kind]):
                del blocks[next(i for i, other in enumerate(blocks) if other is block)]

    def compact(self) -> None:
        pass
