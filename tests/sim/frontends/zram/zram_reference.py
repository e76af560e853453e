"""zram of 6.18 once more, slot by slot in plain Python and in the order of the kernel's steps."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from allocators import Allocator, NoMemory
from sim.frontends.compiled import slots

CLASSES = Path(__file__).parents[3] / "golden" / "allocators" / "classes" / "classes-zsmalloc-6.12-c8.csv"
PAGE, HUGE_FROM = 4096, 3625


def class_indexes() -> list[int]:
    """zs_lookup_class_index of every size from 0 to a page: the first class that takes it and a handle of 8 bytes."""
    rows = [(int(row["size"]), int(row["class_index"])) for row in csv.DictReader(CLASSES.open())]
    return [next(index for width, index in rows if width >= min(size + 8, PAGE)) for size in range(PAGE + 1)]


@dataclass
class Page:
    """What a slot holds."""

    what: int
    number: int = -1
    handle: int = -1
    size: int = 0
    priority: int = 0
    idle: bool = False
    incompressible: bool = False
    compressed: bool = False  # on the backing device


class ZramReference:
    """`sizes[k][page]` is what algorithm k makes of a page; `fill[page]` one of MIXED, SAME_FILLED, ZERO_FILLED."""

    def __init__(
        self,
        allocator: Allocator,
        sizes: list[list[int]],
        fill: list[int],
        *,
        limit: int = 0,
        budget: int | None = None,
        backing: int = 0,
        zeros_apart: bool = False,
        compressed: bool = False,
    ) -> None:
        self.allocator, self.sizes, self.fill = allocator, sizes, fill
        self.limit, self.budget, self.backing, self.zeros_apart = limit, budget, backing, zeros_apart
        self.compressed = compressed
        self.slots: dict[int, Page] = {}
        self.most_pages = self.huge_since = self.bd_reads = self.bd_writes = 0
        self.recompressed = self.incompressible = self.refusals = self.device_reads = 0
        self.classes = class_indexes()

    def free(self, slot: int) -> None:
        page = self.slots.pop(slot, None)
        if page and page.handle >= 0:
            self.allocator.free(page.handle)

    def write(self, slot: int, number: int) -> None:
        fill = self.fill[number]
        if fill != slots.MIXED:
            self.free(slot)
            self.slots[slot] = Page(slots.SAME, number)
            return
        size, what = self.sizes[0][number], slots.OBJECT
        if size >= HUGE_FROM:
            size, what = PAGE, slots.HUGE
        try:
            handle = self.allocator.alloc(size)
        except NoMemory:  # not the kernel's, but every frontend's
            self.free(slot)
            self.slots[slot] = Page(slots.REFUSED)
            self.refusals += 1
            return
        self.most_pages = max(self.most_pages, self.allocator.pages)
        if self.limit and self.allocator.pages > self.limit:
            self.allocator.free(handle)
            self.slots.setdefault(slot, Page(slots.REFUSED))
            self.refusals += 1
            return
        self.free(slot)
        self.slots[slot] = Page(what, number, handle, size)
        self.huge_since += what == slots.HUGE

    def read(self, slot: int) -> None:
        page = self.slots.get(slot)
        if page:
            page.idle = False
            self.bd_reads += page.what == slots.WRITTEN_BACK
            self.device_reads += page.what in (slots.WRITTEN_BACK, slots.REFUSED)

    def mark_idle(self) -> None:
        for page in self.slots.values():
            if page.what in (slots.OBJECT, slots.HUGE):
                page.idle = True

    def of_kind(self, kind: str) -> list[int]:
        """Slots in use that fit, in the order of their buckets: lists that are filled at the head, largest first."""
        buckets: list[list[int]] = [[] for _ in range(PAGE // 64 + 1)]
        for slot in sorted(self.slots):
            page = self.slots[slot]
            fits = {
                "all": True,
                "idle": page.idle,
                "huge": page.what == slots.HUGE,
                "huge_idle": page.what == slots.HUGE and page.idle,
                "incompressible": page.incompressible,
            }[kind]
            if fits and page.what in (slots.OBJECT, slots.HUGE):
                buckets[page.size // 64].insert(0, slot)
        return [slot for bucket in reversed(buckets) for slot in bucket]

    def recompress(self, kind: str, threshold: int, max_pages: int | None, priority: int | None) -> None:
        active = len(self.sizes)
        first, end = (1, active) if priority is None else (priority, priority + 1)
        left = 1 << 60 if max_pages is None else max_pages
        for slot in self.of_kind(kind):
            page = self.slots[slot]
            if page.incompressible or page.priority + 1 >= end:
                continue
            if not left:
                return
            if page.size < threshold:
                continue
            page.idle = False
            found = 0
            for algorithm in range(max(first, page.priority + 1), end):
                size = self.sizes[algorithm][page.number]
                if self.classes[min(size, PAGE)] >= self.classes[page.size] or (threshold and size >= threshold):
                    continue
                found = algorithm
                break
            left -= 1
            if not found:
                if end >= active:
                    page.incompressible = True
                    self.incompressible += 1
                continue
            try:
                handle = self.allocator.alloc(self.sizes[found][page.number])
            except NoMemory:
                return
            self.free(slot)
            self.slots[slot] = Page(slots.OBJECT, page.number, handle, self.sizes[found][page.number], found)
            self.recompressed += 1

    def write_back(self, kind: str) -> None:
        for slot in self.of_kind(kind):
            if self.budget == 0 or (self.backing and self.count(slots.WRITTEN_BACK) == self.backing):
                return
            page = self.slots[slot]
            self.free(slot)
            kept = self.compressed and page.what == slots.OBJECT
            self.slots[slot] = Page(slots.WRITTEN_BACK, priority=page.priority if kept else 0, compressed=kept)
            self.bd_writes += 1
            if self.budget is not None:
                self.budget -= 1

    def count(self, *kinds: int) -> int:
        return sum(page.what in kinds for page in self.slots.values())

    def mm_stat(self) -> tuple[int, ...]:
        """The fields that are the frontend's own; without mem_limit and pages_compacted."""
        apart = sum(
            page.what == slots.SAME and self.zeros_apart and self.fill[page.number] == slots.ZERO_FILLED
            for page in self.slots.values()
        )
        same = self.count(slots.SAME) - apart
        stored = self.count(slots.OBJECT, slots.HUGE, slots.WRITTEN_BACK) + same
        return (
            stored * PAGE,
            sum(page.size for page in self.slots.values()),
            self.allocator.pages * PAGE,
            self.most_pages * PAGE,
            same,
            self.count(slots.HUGE),
            self.huge_since,
        )

    def bd_stat(self) -> tuple[int, ...]:
        return self.count(slots.WRITTEN_BACK), self.bd_reads, self.bd_writes

    def stats(self) -> dict[str, int]:
        return {
            "refusals": self.refusals,
            "device_reads": self.device_reads,
            "device_writes": self.refusals + self.bd_writes,
            "recompressed": self.recompressed,
            "incompressible": self.incompressible,
            "bd_reads": self.bd_reads,
            "bd_writes": self.bd_writes,
            "bytes_written": self.bd_writes * PAGE,
        }
