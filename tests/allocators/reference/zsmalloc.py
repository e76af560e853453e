"""zsmalloc as the kernels' sources tell it, in lists and dictionaries; slow, and shares nothing with the kernels here.

Sources: drivers/staging/zsmalloc/zsmalloc-main.c (Linux 3.4), mm/zsmalloc.c (4.1, 4.4, 6.1, 6.2, 6.12);
allocators/zspages names the changes between them.
"""

from __future__ import annotations

STAGING = {"2012", "3.10", "3.19"}  # nothing beside an object, no compaction
LEAST_WASTE = {"6.3", "6.6", "6.12"}
TENTHS = {"6.6", "6.12"}
TAGGED = {"4.1", "4.4", "6.1", "6.2", "2022", "6.3", "6.6"}
RECLAIMS = {"6.2", "6.3", "6.6"}  # the oldest zspage, in 6.2 to 6.4
INSERTION = {"4.4": -1, "6.1": 1, "6.2": 1, "2022": 1, "6.3": 1}  # where an emptier zspage goes; -1 for the end


class Zspage:
    def __init__(self, cls: SizeClass) -> None:
        self.cls = cls
        self.slots: list[int | None] = [None] * cls.objs
        self.free = list(range(cls.objs))[::-1]  # the next one last

    @property
    def inuse(self) -> int:
        return self.cls.objs - len(self.free)

    def add(self, handle: int) -> None:
        self.slots[self.free.pop()] = handle

    def drop(self, handle: int) -> None:
        slot = self.slots.index(handle)
        self.slots[slot] = None
        self.free.append(slot)


class SizeClass:
    def __init__(self, size: int, pages: int, objs: int) -> None:
        self.size, self.pages, self.objs = size, pages, objs
        self.zspages: list[Zspage] = []
        self.lists: dict[str | int, list[Zspage]] = {}

    def unused(self) -> int:
        return sum(len(zspage.free) for zspage in self.zspages)


def chain_length(era: str, size: int, longest: int, page_size: int) -> int:
    lengths = range(1, longest + 1)
    if era in LEAST_WASTE:
        return 1 if size.bit_count() == 1 else min(lengths, key=lambda n: (n * page_size % size, n))
    percent = {n: (n * page_size // size * size) * 100 // (n * page_size) for n in lengths}
    return max(lengths, key=lambda n: (percent[n], -n))


class Zsmalloc:
    def __init__(self, era: str, chain: int = 4, page_size: int = 4096, bits: int = 64, physmem_bits: int = 46) -> None:
        self.era, self.page_size, self.word = era, page_size, bits // 8
        self.where: dict[int, Zspage] = {}
        self.aged: list[Zspage] = []  # the one that `alloc` put an object into last at the end
        self.made = 0
        self.class_at: dict[int, SizeClass] = {}
        previous: SizeClass | None = None
        page_shift = page_size.bit_length() - 1
        obj_index_bits = bits - (physmem_bits - page_shift) - (era in TAGGED)
        delta = 16 if era == "2012" else page_size // 256
        sizes = range(max(32, (chain << page_shift) >> obj_index_bits), page_size, delta)
        for size in [page_size, *sizes[::-1]]:
            length = chain_length(era, size, chain, page_size)
            objs = length * page_size // size
            shared = previous is not None and (previous.pages, previous.objs) == (length, objs)
            if previous is None or era in {"2012", "3.10"} or not shared:
                previous = SizeClass(size, length, objs)
            self.class_at[size] = previous
        self.classes = list(dict.fromkeys(self.class_at.values()))  # from the largest down

    @property
    def pages(self) -> int:
        return sum(cls.pages * len(cls.zspages) for cls in self.classes)

    def group(self, zspage: Zspage) -> str | int:
        """The list a zspage belongs to: a tenth of its fullness since 6.4, else almost empty or almost full."""
        inuse, objs = zspage.inuse, zspage.cls.objs
        if inuse in (0, objs):
            return "full" if inuse else "empty"
        if self.era in TENTHS:
            return 100 * inuse // objs // 10 + 1
        return "almost empty" if inuse <= (1 if self.era in STAGING else 3) * objs // 4 else "almost full"

    def fullest_first(self) -> list[str | int]:
        return list(range(10, 0, -1)) if self.era in TENTHS else ["almost full", "almost empty"]

    def insert(self, zspage: Zspage) -> None:
        entries = zspage.cls.lists.setdefault(self.group(zspage), [])
        where = INSERTION.get(self.era, 0) if entries and zspage.inuse < entries[0].inuse else 0
        entries.insert(len(entries) if where < 0 else where, zspage)

    def isolate(self, cls: SizeClass, groups: list[str | int]) -> Zspage | None:
        for group in groups:
            if cls.lists.get(group):
                return cls.lists[group].pop(0)
        return None

    def alloc(self, size: int) -> int | None:
        if not 1 <= size <= self.page_size:
            return None
        wanted = min(self.page_size, size + (0 if self.era in STAGING else self.word))
        cls = self.class_at[min(at for at in self.class_at if at >= wanted)]
        handle, self.made = self.made, self.made + 1
        zspage = next((cls.lists[group][0] for group in self.fullest_first() if cls.lists.get(group)), None)
        if zspage is None:
            zspage = Zspage(cls)
            cls.zspages.append(zspage)
            zspage.add(handle)
            self.insert(zspage)
        else:
            before = self.group(zspage)
            zspage.add(handle)
            self.regroup(zspage, before)
        self.where[handle] = zspage
        self.aged = [other for other in self.aged if other is not zspage and other in other.cls.zspages] + [zspage]
        return handle

    def reclaim(self) -> list[int]:
        if self.era not in RECLAIMS:
            return []
        zspage = next((zspage for zspage in self.aged if zspage in zspage.cls.zspages), None)
        found = [] if zspage is None else [handle for handle in zspage.slots if handle is not None]
        for handle in found:
            self.free(handle)
        return found

    def regroup(self, zspage: Zspage, before: str | int) -> None:
        if self.group(zspage) != before:
            zspage.cls.lists[before].remove(zspage)
            self.insert(zspage)

    def free(self, handle: int) -> None:
        zspage = self.where.pop(handle)
        before = self.group(zspage)
        zspage.drop(handle)
        if zspage.inuse:
            self.regroup(zspage, before)
        else:
            zspage.cls.lists[before].remove(zspage)
            zspage.cls.zspages.remove(zspage)

    def compact(self) -> None:
        for cls in self.classes:
            if self.era in TENTHS:
                self.compact_6_12(cls)
            elif self.era not in STAGING:
                self.compact_6_1(cls)

    def migrate(self, source: Zspage, target: Zspage) -> bool:
        """Whether everything has moved; false when the target is full before that."""
        for handle in [handle for handle in source.slots if handle is not None]:
            if not target.free:
                return False
            source.drop(handle)
            target.add(handle)
            self.where[handle] = target
        return True

    def put_back(self, zspage: Zspage) -> None:
        if zspage.inuse:
            self.insert(zspage)
        else:
            zspage.cls.zspages.remove(zspage)

    def compact_6_12(self, cls: SizeClass) -> None:
        target = None
        while cls.unused() >= cls.objs:
            target = target or self.isolate(cls, self.fullest_first())
            source = self.isolate(cls, self.fullest_first()[::-1]) if target else None
            if target is None or source is None:
                break
            self.migrate(source, target)
            self.put_back(source)
            if not target.free:
                self.put_back(target)
                target = None
        if target is not None:
            self.put_back(target)

    def compact_6_1(self, cls: SizeClass) -> None:
        first = self.era == "4.1"  # almost empty ones are moved, to whatever end
        sources: list[str | int] = ["almost empty"] if first else ["almost empty", "almost full"]
        source = self.isolate(cls, sources)
        while source is not None and (first or cls.unused() >= cls.objs):
            target = self.isolate(cls, self.fullest_first())
            while target is not None and not self.migrate(source, target):
                self.put_back(target)
                target = self.isolate(cls, self.fullest_first())
            if target is None:
                break
            self.put_back(target)
            self.put_back(source)
            source = self.isolate(cls, sources)
        if source is not None:
            self.put_back(source)
