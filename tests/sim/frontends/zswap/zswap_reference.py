"""zswap over dictionaries, in the order of the kernel's steps; slow. The pool is the allocator given."""

from __future__ import annotations

from collections import OrderedDict

import frontend_kit as kit

from allocators import Allocator, NoMemory, TooLarge
from sim.frontends.compiled import slots
from sim.frontends.compiled.slots import WRITTEN_BACK
from sim.frontends.zswap.frontend import Zswap
from sim.frontends.zswap.reclaim import RETRIES
from workloads.traces.events import FREE, IN, OUT

POOLED = ("5.4", "6.1")  # the pool chooses what is written back
RECLAIMING = ("zbud", "z3fold", "zsmalloc:era=6.2")
KEPT = (*POOLED, "6.6")  # a load keeps the entry
SWAP_CORE = ("6.12", "6.18")  # keeps zeros


class Reference:
    """Entries from the oldest, slot: [handle, bytes, kind, referenced]; and what other slots hold."""

    def __init__(self, zswap: Zswap, allocator: Allocator) -> None:
        self.era, self.allocator = zswap.era, allocator
        self.full_from, self.accept_to = zswap.bounds()
        self.entries: OrderedDict[int, list[int]] = OrderedDict()
        self.others: dict[int, int] = {}  # slot: kind
        self.reached_full = False
        self.total = 0  # zswap_pool_total_size
        self.stats = dict.fromkeys(Zswap().stats(zswap.device(1, allocator)), 0)

    @property
    def size(self) -> int:
        return self.total if self.era in POOLED else self.allocator.pages

    def drop(self, slot: int) -> int:
        kind = self.others.pop(slot, slots.EMPTY)
        if slot in self.entries:
            handle, _, kind, _ = self.entries.pop(slot)
            self.allocator.free(handle)
        if kind in (slots.OBJECT, slots.HUGE, slots.SAME):
            self.total = self.allocator.pages
        return kind

    def refuse(self, slot: int) -> int:
        self.drop(slot)
        self.others[slot] = slots.REFUSED
        self.stats["refusals"] += 1
        self.stats["device_writes"] += 1
        return slots.REFUSED

    def by_value(self, slot: int) -> int:
        self.drop(slot)
        self.others[slot] = slots.SAME
        self.total = self.allocator.pages
        return slots.SAME

    def out(self, slot: int, size: int) -> int:
        same = size == kit.ZERO or (size == kit.SAME and self.era not in SWAP_CORE)
        size = size if size > 0 else kit.SAME_SIZE
        if self.era in KEPT:
            self.drop(slot)
        if same and self.era in SWAP_CORE:
            return self.by_value(slot)
        if self.refuses():
            self.stats["reject_full"] += 1
            self.refuse(slot)
            self.after_refusal()
            return slots.REFUSED
        if same:
            return self.by_value(slot)
        kind, handle = slots.OBJECT, -1
        if size >= 4096 and self.era == "6.18":
            kind, size = slots.HUGE, 4096
        try:
            if size > 4096:
                self.stats["reject_compress_fail"] += 1
                return self.refuse(slot)
            header = 8 if self.era in POOLED and self.allocator.spec in RECLAIMING else 0
            handle = self.allocator.alloc(size + header)
        except TooLarge:
            self.stats["reject_compress_poor"] += 1
        except NoMemory:
            self.stats["reject_alloc_fail"] += 1
        if handle < 0:
            return self.refuse(slot)
        self.drop(slot)
        self.entries[slot] = [handle, size, kind, 1]
        self.total = self.allocator.pages
        return kind

    def refuses(self) -> bool:
        if self.era == "5.4":
            if self.total < self.full_from:
                return False
            self.stats["pool_limit_hit"] += 1
            return not self.shrink_pool() or self.total >= self.full_from
        if self.size >= self.full_from:
            self.stats["pool_limit_hit"] += 1
            self.reached_full = True
        elif self.reached_full and self.size <= self.accept_to:
            self.reached_full = False
        return self.reached_full

    def after_refusal(self) -> None:
        if self.era not in POOLED:
            self.shrink()
        elif self.era == "6.1" and self.total >= self.full_from:
            self.shrink_pool()

    def shrink_pool(self) -> bool:
        before = self.allocator.pages
        gone = set(self.allocator.reclaim())
        if not gone:
            self.stats["reject_reclaim_fail"] += 1
            return False
        for slot in [slot for slot, entry in self.entries.items() if entry[0] in gone]:
            del self.entries[slot]
            self.wrote(slot)
        self.total = before
        return True

    def wrote(self, slot: int) -> None:
        self.others[slot] = WRITTEN_BACK
        self.stats["written_back"] += 1
        self.stats["device_writes"] += 1

    def shrink(self) -> None:
        spared = 0
        while self.entries:
            slot = next(iter(self.entries))
            if self.era in SWAP_CORE and self.entries[slot][3]:
                self.entries[slot][3] = 0
                self.entries.move_to_end(slot)
                self.stats["spared"] += 1
                spared += 1
                if spared == RETRIES:
                    return
            else:
                self.drop(slot)
                self.wrote(slot)
            if self.allocator.pages <= self.accept_to:
                return

    def load(self, slot: int) -> int:
        kind = self.entries[slot][2] if slot in self.entries else self.others.get(slot, slots.EMPTY)
        if kind in (slots.REFUSED, WRITTEN_BACK):
            self.stats["device_reads"] += 1
        elif self.era in KEPT:
            if slot in self.entries:
                self.entries.move_to_end(slot)
        elif not (kind == slots.SAME and self.era in SWAP_CORE):
            self.drop(slot)
        return kind

    def step(self, kind: int, slot: int, size: int) -> tuple[int, ...]:
        """What comes of an event, and what is held after it, as in an OUTCOME."""
        done = {OUT: lambda: self.out(slot, size), IN: lambda: self.load(slot), FREE: lambda: self.drop(slot)}[kind]()
        others = list(self.others.values())
        return (
            done,
            self.allocator.pages,
            len(self.entries),
            sum(entry[1] for entry in self.entries.values()),
            others.count(slots.SAME),
            others.count(slots.REFUSED),
        )
