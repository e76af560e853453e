"""An allocator of one's own, beside zsmalloc and the ideal: `python docs/own_allocator.py`."""

from bisect import bisect_left, insort
from itertools import count
from typing import ClassVar

from allocators import Allocator, TooLarge
from sim import Experiment, Result, register, run


@register
class Pairs(Allocator):
    """At most two objects a page, as zbud has it, but cut to the byte: the page with the best fit is filled up."""

    name: ClassVar[str] = "pairs"

    def __init__(self, page_size: int = 4096) -> None:
        self.page_size = page_size
        self._handles = count()
        self._object: dict[int, tuple[int, int]] = {}  # handle -> page, size
        self._on: dict[int, list[int]] = {}  # page -> handles; a page is called as its first object
        self._single: list[tuple[int, int]] = []  # (room, page) of the pages with one object, in order

    def alloc(self, size: int) -> int:
        """See `Allocator.alloc`."""
        if size > self.page_size:
            raise TooLarge(f"pairs: no object of {size} bytes")
        handle = next(self._handles)
        best = bisect_left(self._single, (size, 0))
        if best < len(self._single):
            page = self._single.pop(best)[1]
        else:
            page = handle
            insort(self._single, (self.page_size - size, page))
        self._object[handle] = page, size
        self._on.setdefault(page, []).append(handle)
        return handle

    def free(self, handle: int) -> None:
        """See `Allocator.free`."""
        page, size = self._object.pop(handle)
        self._on[page].remove(handle)
        if self._on[page]:
            insort(self._single, (self.page_size - self._object[self._on[page][0]][1], page))
        else:
            self._single.remove((self.page_size - size, page))
            del self._on[page]

    @property
    def pages(self) -> int:
        """See `Allocator.pages`."""
        return len(self._on)


def compare(trace: str = "pandas") -> Result:
    """The new allocator beside two that are known."""
    return run(Experiment(traces=(trace,), allocators=("zsmalloc", "pairs", "ideal"), compressors=("lz4",)))


if __name__ == "__main__":
    print(compare().density[["allocator", "density", "density_mean", "pages_peak"]].to_string(index=False))
