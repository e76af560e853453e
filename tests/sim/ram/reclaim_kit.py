"""What Linux does, written down once more: in lists and sets that are looked through every time, slowly."""

from __future__ import annotations

from collections import OrderedDict

from workloads import FREE, IN, OUT

CLUSTER = 512
Event = tuple[int, int, int]  # kind, slot, number of the use


class Device:
    """Swap slots. `used` are those in use, `cached` those of them whose pages are in memory too."""

    def __init__(self, n_slots: int) -> None:
        self.n_slots = n_slots
        self.used: set[int] = set()
        self.cached: set[int] = set()
        clusters = range(-(-n_slots // CLUSTER))
        whole = [one for one in clusters if one and (one + 1) * CLUSTER <= n_slots]
        self.lists = {"free": whole, "nonfull": [one for one in clusters if one not in whole], "frag": [], "full": []}
        self.next = 0
        self.taken_back: list[int] = []

    def slots(self, one: int) -> range:
        return range(max(one * CLUSTER, 1), min((one + 1) * CLUSTER, self.n_slots))

    def left(self, one: int) -> bool:
        return not self.used.issuperset(self.slots(one))

    def is_full(self) -> bool:
        return len(self.used) > (self.n_slots - 1) - len(self.used)

    def on(self, one: int) -> str | None:
        return next((name for name, members in self.lists.items() if one in members), None)

    def move(self, one: int, name: str) -> None:
        if self.on(one) != name:
            for members in self.lists.values():
                if one in members:
                    members.remove(one)
            self.lists[name].append(one)

    def whole_and_empty(self, one: int) -> bool:
        return len(self.slots(one)) == CLUSTER and self.used.isdisjoint(self.slots(one))

    def give(self, slot: int) -> None:
        self.used.remove(slot)
        self.cached.discard(slot)
        self.move(slot // CLUSTER, "free" if self.whole_and_empty(slot // CLUSTER) else "nonfull")

    def scan(self, one: int, start: int) -> int:
        found = 0
        for slot in self.slots(one) if self.left(one) else ():
            if slot < start:
                continue
            if slot in self.cached and self.is_full():
                self.taken_back.append(slot)
                self.give(slot)
                if self.whole_and_empty(one):
                    break
            if slot not in self.used:
                found = slot
                self.used.add(slot)
                break
        self.next = found + 1 if found and found + 1 in self.slots(one) and self.left(one) else 0
        if self.whole_and_empty(one):
            self.move(one, "free")
        else:
            self.move(one, "frag" if self.left(one) else "full")
        return found

    def first(self, name: str) -> int:
        one = self.lists[name].pop(0)
        return self.scan(one, 0)

    def take(self) -> int:
        found = 0
        if self.next and self.on(self.next // CLUSTER) != "free":
            found = self.scan(self.next // CLUSTER, self.next)
        while not found and self.lists["nonfull"]:
            found = self.first("nonfull")
        if not found and self.lists["free"]:
            found = self.first("free")
        if not found and self.is_full() and self.lists["full"]:
            one = self.lists["full"].pop(0)
            for slot in sorted(self.cached.intersection(self.slots(one))):
                self.taken_back.append(slot)
                self.give(slot)
            if self.on(one) is None:
                self.move(one, "full")
        if not found and self.lists["frag"]:
            found = self.first("frag")
        return found


class Lru:
    """A program in a memory of `ram` pages, the one used longest ago first; and what its swap device sees."""

    def __init__(self, ram: int, n_slots: int, cache: bool) -> None:
        self.ram, self.cache, self.device = ram, cache, Device(n_slots)
        self.memory: OrderedDict[int, None] = OrderedDict()
        self.slot: dict[int, int] = {}
        self.written: set[int] = set()
        self.dirty: set[int] = set()
        self.events: list[Event] = []
        self.faults = self.clean = self.files = self.uses = 0

    def take(self) -> int:
        while True:
            slot, back = self.device.take(), self.device.taken_back
            self.device.taken_back = []
            for one in back:
                owner = next(page for page, held in self.slot.items() if held == one)
                del self.slot[owner]
                self.dirty.add(owner)
                self.events.append((FREE, one, self.uses))
            if slot or not back:
                return slot

    def evict(self) -> None:
        page, _ = self.memory.popitem(last=False)
        if page not in self.written:
            self.files += 1
        elif page in self.slot and page not in self.dirty:
            self.clean += 1
            self.device.cached.remove(self.slot[page])
        else:
            if page not in self.slot:
                self.slot[page] = self.take()
            self.device.cached.discard(self.slot[page])
            self.dirty.discard(page)
            self.events.append((OUT, self.slot[page], self.uses))

    def free(self, page: int) -> None:
        slot = self.slot.pop(page)
        self.device.give(slot)
        self.events.append((FREE, slot, self.uses))

    def step(self, kind: int, page: int) -> None:
        if kind == FREE:
            self.memory.pop(page, None)
            self.written.discard(page)
            self.dirty.discard(page)
            if page in self.slot:
                self.free(page)
        elif page in self.memory:
            self.memory.move_to_end(page)
        else:
            self.faults += 1
            if len(self.memory) == self.ram:
                self.evict()
            if page in self.slot:
                self.events.append((IN, self.slot[page], self.uses))
                if self.cache and kind == IN and not self.device.is_full():
                    self.device.cached.add(self.slot[page])
                else:
                    self.free(page)
                    self.dirty.add(page)
            self.memory[page] = None
        if kind == OUT:
            self.written.add(page)
            self.dirty.add(page)
        self.uses += 1
