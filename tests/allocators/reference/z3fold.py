"""z3fold as mm/z3fold.c (6.1) tells it, its work queue run at once, in lists and dictionaries; slow.

A page knows its objects as {place: (handle, chunks)}, and where the middle one starts; chunks are counted from the
end of the header. `aged` has the page that `alloc` last put an object into at its end.
"""

from __future__ import annotations


class Page:
    def __init__(self, room: int) -> None:
        self.room = room
        self.at: dict[str, tuple[int, int]] = {}
        self.start = 0
        self.foreign: set[int] = set()

    def size(self, place: str) -> int:
        return self.at[place][1] if place in self.at else 0

    def gap(self) -> int:
        if "middle" not in self.at:
            return self.room - self.size("first") - self.size("last")
        before = 0 if "first" in self.at else self.start
        after = 0 if "last" in self.at else self.room - self.start - self.size("middle")
        return max(before, after)

    def put(self, handle: int, chunks: int) -> None:
        if "middle" in self.at:
            fits = "first" not in self.at and chunks <= self.start
            self.at["first" if fits else "last"] = (handle, chunks)
        else:
            place = next(place for place in ("first", "last", "middle") if place not in self.at)
            if place == "middle":
                self.start = self.size("first")
            self.at[place] = (handle, chunks)

    def slide(self) -> None:
        if set(self.at) == {"middle"}:
            self.at = {"first": self.at["middle"]}
        elif set(self.at) == {"first", "middle"} and self.start - self.size("first") >= 3:
            self.start = self.size("first")
        elif set(self.at) == {"middle", "last"}:
            wanted = self.room - self.size("last") - self.size("middle")
            if wanted - self.start >= 3:
                self.start = wanted


class Z3fold:
    def __init__(self, page_size: int = 4096) -> None:
        self.page_size, self.chunk = page_size, page_size // 64
        self.room = 64 - -(-88 // self.chunk)
        self.headless = (self.room - 1) * self.chunk
        self.lists: list[list[Page]] = [[] for _ in range(self.room)]
        self.where: dict[int, Page] = {}
        self.aged: list[Page] = []
        self.made = 0

    @property
    def pages(self) -> int:
        return len({id(page) for page in self.where.values()})

    def take(self, chunks: int) -> Page | None:
        return next((entries.pop(0) for entries in self.lists[chunks:] if entries), None)

    def insert(self, page: Page) -> None:
        if len(page.at) < 3:
            self.lists[page.gap()].insert(0, page)

    def alloc(self, size: int) -> int | None:
        if not 1 <= size <= self.page_size:
            return None
        handle, self.made = self.made, self.made + 1
        chunks = -(-size // self.chunk)
        if size > self.headless:
            page = Page(0)
        else:
            page = self.take(chunks) or Page(self.room)
            page.put(handle, chunks)
            self.insert(page)
        self.where[handle] = page
        held = set(self.where.values())
        self.aged = [other for other in self.aged if other is not page and other in held] + [page]
        return handle

    def reclaim(self) -> list[int]:
        held = set(self.where.values())
        page = next((page for page in self.aged if page in held and not page.foreign), None)
        if page is None:
            return []
        for entries in self.lists:
            if page in entries:
                entries.remove(page)
        found = [handle for handle, where in self.where.items() if where is page]
        for handle in found:
            del self.where[handle]
        return found

    def free(self, handle: int) -> None:
        page = self.where.pop(handle)
        if not page.at:  # headless
            return
        for entries in self.lists:
            if page in entries:
                entries.remove(page)
        del page.at[next(place for place, (other, _) in page.at.items() if other == handle)]
        page.foreign.discard(handle)
        if page.at:
            self.tidy(page)

    def tidy(self, page: Page) -> None:
        if len(page.at) == 1 and not page.foreign:
            [(handle, chunks)] = page.at.values()
            other = self.take(chunks)
            if other is not None:
                other.put(handle, chunks)
                other.foreign.add(handle)
                self.where[handle] = other
                self.insert(other)
                return
        page.slide()
        self.insert(page)

    def compact(self) -> None:
        pass
