"""What zsmalloc and its order-1 rival share: a pool of zspages behind the contract of an allocator."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from allocators.base import CompiledAllocator, Ints, Placement
from allocators.compiled import arrays, ids, lists
from allocators.compiled.dispatch import Rules, register_rules
from allocators.compiled.ids import NIL
from allocators.zone import PageZone
from allocators.zspages import pool
from allocators.zspages.classes import Groups, SizeClass, class_of_size
from allocators.zspages.compaction import NONE, compact
from allocators.zspages.pool import CLASS, HANDLE, RULES, ZSPAGE, ZspagePool


class ZspageAllocator(CompiledAllocator):
    """Zspages of given classes and fullness groups, made of blocks of 2**order pages.

    Those of classes above a page, for objects of up to `unit` pages, are made of blocks of `unit` pages.
    """

    state: ZspagePool
    classes: list[SizeClass]

    def __init__(
        self,
        classes: list[SizeClass],
        groups: Groups,
        *,
        page_size: int,
        zone: PageZone | None,
        order: int = 0,
        unit: int = 1,
        added: int = 0,
        emptier: int = pool.FIRST,
        refilled_last: bool = False,
        compaction: int = NONE,
        reclaims: bool = False,
    ) -> None:
        super().__init__(page_size, zone)
        self.classes = classes
        self.block_order = order
        rows = [groups(c.objs) for c in classes]
        table = arrays.records(len(classes), CLASS)
        for field in ("pages", "objs"):
            table[field] = [getattr(c, field) for c in classes]
        table["width"] = [c.size for c in classes]
        table["order"] = [order if c.size <= page_size else unit.bit_length() - 1 for c in classes]
        table["fullness"] = np.cumsum([0] + [len(row) for row in rows[:-1]])
        table["spare"] = NIL
        rules = arrays.records(1, RULES)
        rules["page_size"], rules["promised"] = page_size, unit
        rules["emptier"] = emptier
        rules["refilled_last"] = refilled_last
        rules["ages"] = reclaims
        rules["compaction"] = compaction
        rules["groups"] = 1 + max(row[-1] for row in rows)
        rules["most_objs"] = max(c.objs for c in classes)
        blocks = int((table["pages"] >> table["order"]).max())
        self.state = ZspagePool(
            zone=self.zone.state,
            rules=rules,
            class_of=class_of_size(classes, page_size, added, unit),
            cls=table,
            fullness=np.concatenate([np.array(row, np.int8) for row in rows]),
            head=np.full((len(classes), int(rules[0].groups)), NIL, np.int32),
            zspage=arrays.records(arrays.ROOM, ZSPAGE),
            page=np.zeros((arrays.ROOM, blocks), np.int32),
            top=np.zeros(2, np.int64),
            object=np.zeros(arrays.ROOM + unit * int(rules[0].most_objs), np.int32),
            handle=arrays.records(arrays.ROOM, HANDLE),
            handles=ids.make(arrays.ROOM),
            age=arrays.records(arrays.ROOM, lists.LINKS),
            oldest=np.full(1, NIL, np.int32),
        )
        self.objects_reclaimed = int(rules[0].most_objs) if reclaims else 0

    def holds(self, handle: int) -> bool:
        """See `CompiledAllocator.holds`."""
        return 0 <= handle < int(self.state.handles.top[1]) and int(self.state.handle[handle].zspage) != NIL

    def placement(self, handle: int) -> Placement:
        """The whole slot of the object's class, since that is what the kernel maps."""
        self.require_handle(handle)
        state = self.state
        entry = state.handle[handle]
        zspage = state.zspage[int(entry.zspage)]
        cls = state.cls[int(zspage.cls)]
        order = int(cls.order)
        start = (int(entry.object) - int(zspage.first)) * int(cls.width)
        end = start + int(cls.width)
        within = start // (self.page_size << order) == (end - 1) // (self.page_size << order)
        parts = []
        while start < end:
            nth, offset = divmod(start, self.page_size)
            block = int(state.page[int(entry.zspage), nth >> order])
            length = min(end - start, self.page_size - offset)
            parts.append((block + nth % (1 << order), offset, length))
            start += length
        return Placement(tuple(parts), adjacent=int(cls.pages) == 1 << order or (order > 0 and within))

    def class_usage(self, sizes: Ints) -> list[dict[str, int]]:
        """See `Allocator.class_usage`."""
        count = len(self.classes)
        stored = np.bincount(self.state.class_of[sizes], weights=sizes, minlength=count).astype(np.int64).tolist()
        rows = []
        for cls, entry, held in zip(self.classes, self.state.cls, stored, strict=True):
            zspages, objects = int(entry["zspages"]), int(entry["inuse"])
            if zspages:
                row = {"class_size": cls.size, "class_pages": cls.pages, "class_objects": cls.objs}
                row |= {"zspages": zspages, "objects": objects, "stored": held}
                row |= {"rounding": objects * cls.size - held, "unused": (zspages * cls.objs - objects) * cls.size}
                rows.append(row | {"tail": zspages * (cls.pages * self.page_size - cls.objs * cls.size)})
        return rows

    def moved(self) -> npt.NDArray[np.int64]:
        """See `Allocator.moved`: a row per size class."""
        cls = self.state.cls
        return np.stack([cls["moved"], cls["moved"] * cls["width"]], axis=1)

    def check(self) -> None:
        """Recount objects, groups, lists and pages."""
        state = self.state
        self.zone.check()
        inuse = np.zeros(len(self.classes), np.int64)
        count = np.zeros(len(self.classes), np.int64)
        listed = {int(z) for c in range(len(self.classes)) for z in self._listed(c)}
        pages = 0
        for z in range(int(state.top[0])):
            zspage = state.zspage[z]
            if zspage.inuse == NIL:
                continue
            c = int(zspage.cls)
            cls = self.classes[c]
            objects = state.object[int(zspage.first) : int(zspage.fresh)]
            owned = [
                i + int(zspage.first)
                for i, handle in enumerate(objects)
                if handle >= 0 and tuple(state.handle[int(handle)]) == (z, i + int(zspage.first))
            ]
            self.require(len(owned) == zspage.inuse > 0, f"zspage {z} counts {zspage.inuse}, has {len(owned)}")
            group = int(state.fullness[int(state.cls[c].fullness) + len(owned)])
            self.require(group == zspage.group, f"zspage {z} is in group {zspage.group}, not {group}")
            self.require((z in listed) == (len(owned) < cls.objs), f"zspage {z} is on no list or a wrong one")
            inuse[c] += len(owned)
            count[c] += 1
            pages += cls.pages
        self.require(bool((inuse == state.cls["inuse"]).all()), "objects by class")
        self.require(bool((count == state.cls["zspages"]).all()), "zspages by class")
        aged = len(lists.members(state.age, state.oldest, 0))
        self.require(aged == (count.sum() if state.rules[0].ages else 0), f"{aged} zspages listed by age")
        self.require(pages == self.pages, f"{pages} pages in zspages, {self.pages} held")
        self.require(len(ids.in_use(state.handles)) == int(inuse.sum()), "handles in use")

    def _listed(self, c: int) -> list[int]:
        found = []
        for group in range(self.state.head.shape[1]):
            for z in lists.members(self.state.zspage, self.state.head[c], group):
                zspage = self.state.zspage[z]
                self.require((zspage.cls, zspage.group) == (c, group), f"zspage {z} is on a wrong list")
                found.append(z)
        return found

    def stats(self) -> dict[str, int]:
        """Pages, zspages, objects, and pages released by compaction."""
        cls = self.state.cls
        return {
            "pages": self.pages,
            "zspages": int(cls["zspages"].sum()),
            "objects": int(cls["inuse"].sum()),
            "pages_compacted": int(self.state.rules[0].pages_compacted),
        }


register_rules(
    ZspagePool,
    Rules(pool.alloc, pool.free, pool.has_room, pool.grown, compact, pool.spans, pool.lock, reclaim=pool.reclaim),
)
