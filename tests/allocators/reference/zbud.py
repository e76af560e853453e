"""zbud as mm/zbud.c (6.1) and zcache-main.c (2011-12) tell it, in lists and dictionaries; slow.

A page is a dictionary of what lies at its two ends: {"first": (handle, chunks), "last": ...}. `held` has the page that
got an object last at its end.
"""

from __future__ import annotations

Page = dict[str, tuple[int, int]]


class Zbud:
    def __init__(self, era: str, page_size: int = 4096) -> None:
        self.zcache = era == "zcache"
        self.chunk = 64 if self.zcache else page_size // 64
        self.chunks = (page_size - (128 if self.zcache else self.chunk)) // self.chunk
        self.largest = (self.chunks - 1) * self.chunk
        self.held: list[Page] = []
        self.idle: list[Page] = []
        self.lists: dict[int, list[Page]] = {key: [] for key in range(self.chunks + 1)}
        self.where: dict[int, Page] = {}
        self.made = 0

    @property
    def pages(self) -> int:
        return len(self.held)

    def key(self, page: Page) -> int:
        used = sum(chunks for _, chunks in page.values())
        return used if self.zcache else self.chunks - used

    def insert(self, page: Page) -> None:
        entries = self.lists[self.key(page)]
        entries.insert(len(entries) if self.zcache else 0, page)

    def remove(self, page: Page) -> None:
        entries = self.lists[self.key(page)]
        del entries[next(i for i, other in enumerate(entries) if other is page)]

    def alloc(self, size: int) -> int | None:
        if not 1 <= size <= self.largest:
            return None
        chunks = -(-size // self.chunk)
        keys = range(1, self.chunks - chunks + 1)[::-1] if self.zcache else range(chunks, self.chunks + 1)
        page = next((self.lists[key][0] for key in keys if self.lists[key]), None)
        handle, self.made = self.made, self.made + 1
        if page is not None:
            self.remove(page)
            page["last" if "first" in page else "first"] = (handle, chunks)
        else:
            if not self.idle:
                self.held.append({})
                self.idle.append(self.held[-1])
            page = self.idle.pop()
            page["first"] = (handle, chunks)
            self.insert(page)
        self.held = [other for other in self.held if other is not page] + [page]
        self.where[handle] = page
        return handle

    def reclaim(self) -> list[int]:
        if self.zcache or not self.held:
            return []
        found = [handle for handle, _ in self.held[0].values()]
        for handle in found:
            self.free(handle)
        return found

    def free(self, handle: int) -> None:
        page = self.where.pop(handle)
        if len(page) == 1:
            self.remove(page)
        del page[next(end for end, (other, _) in page.items() if other == handle)]
        if page:
            self.insert(page)
        elif self.zcache:
            self.idle.append(page)
        else:
            self.held = [other for other in self.held if other is not page]

    def compact(self) -> None:
        pass

    def release_idle(self) -> None:
        self.held = [page for page in self.held if page]
        self.idle.clear()
