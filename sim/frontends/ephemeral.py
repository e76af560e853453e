"""zcache's ephemeral pool: the pages of cleancache, which may be dropped at any time."""

from __future__ import annotations

from collections.abc import Hashable

from allocators.compiled.ids import NIL
from allocators.errors import CheckFailed, TooLarge
from allocators.zbud import Zbud


class EphemeralPool:
    """Clean pages of files, compressed in zcache's zbud and dropped under pressure.

    Source: drivers/staging/zcache/zcache-main.c (3.0 to 3.5). No trace has such pages, hence no frontend replays into
    this pool: it is driven by its calls. Keys are any hashable names of pages.
    """

    def __init__(self) -> None:
        self.zbud = Zbud(era="zcache")
        self.handle: dict[Hashable, int] = {}
        self.key: dict[int, Hashable] = {}
        self.buddied: dict[int, None] = {}  # zbud's pages that hold two objects, the oldest pair first
        self.evicted = {"raw": 0, "unbuddied": 0, "buddied": 0}

    def __len__(self) -> int:
        """Pages held, compressed."""
        return len(self.handle)

    @property
    def pages(self) -> int:
        """Physical pages held, empty ones included."""
        return self.zbud.pages

    def put(self, key: Hashable, size: int) -> bool:
        """Store a page of `size` compressed bytes instead of the key's old one; False if it is too large."""
        self.flush(key)
        try:
            handle = self.zbud.alloc(size)
        except TooLarge:
            return False
        self.handle[key], self.key[handle] = handle, key
        page = self.zbud.state.page[handle >> 1]
        if page.first and page.last:
            self.buddied[handle >> 1] = None
        return True

    def get(self, key: Hashable) -> bool:
        """Read a page, which leaves the pool by that; False if it is not there."""
        return self.flush(key)

    def flush(self, key: Hashable) -> bool:
        """Forget a page; whether it was there. Its physical page, when empty, is kept."""
        handle = self.handle.pop(key, None)
        if handle is None:
            return False
        del self.key[handle]
        self.buddied.pop(handle >> 1, None)
        self.zbud.free(handle)
        return True

    def shrink(self, count: int) -> list[Hashable]:
        """Take `count` steps of eviction (zbud_evict_pages), as far as there is anything; the keys that were dropped.

        A step releases an empty page. When there are none left, it drops the content of a page with one object,
        beginning with the smallest; then of one with two; each time the page that has been so for longest. The pages
        emptied that way are kept until the next call. Quirk: one object of the largest size is never dropped.
        """
        state, dropped = self.zbud.state, list[Hashable]()
        while count > 0 and self.zbud.release_idle():
            self.evicted["raw"] += 1
            count -= 1
        for _ in range(count):
            key = next((key for key in range(1, len(state.head) - 2) if state.head[key] != NIL), None)
            if key is not None:
                p, kind = int(state.head[key]), "unbuddied"
            elif self.buddied:
                p, kind = next(iter(self.buddied)), "buddied"
            else:
                break
            self.evicted[kind] += 1
            for handle in (2 * p, 2 * p + 1):
                if handle in self.key:
                    dropped.append(self.key[handle])
                    self.flush(self.key[handle])
        return dropped

    def check(self) -> None:
        """Recount the pool; raises CheckFailed on a mismatch."""
        self.zbud.check()
        if {key: handle for handle, key in self.key.items()} != self.handle:
            raise CheckFailed("ephemeral pool: keys and handles differ")
        live = {handle >> 1 for handle in self.key if handle ^ 1 in self.key}
        if live != set(self.buddied) or not all(map(self.zbud.holds, self.key)):
            raise CheckFailed("ephemeral pool: the list of pairs is wrong")
