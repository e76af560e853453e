"""The contract of every allocator, and the thin class above the compiled ones."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from allocators.compiled import batch, codes, dispatch
from allocators.compiled.jit import plain
from allocators.configured import Configured
from allocators.errors import AllocatorError, CheckFailed, NoMemory, TooLarge, UnknownHandle
from allocators.zone import PageZone

Ints = npt.NDArray[np.int64]


class Placement(NamedTuple):
    """Where an object lies: byte ranges of physical pages, in the order of its bytes."""

    parts: tuple[tuple[int, int, int], ...]  # (page number, offset, bytes)
    adjacent: bool = False  # its pages lie side by side: taken as one block, or mapped so for good

    @property
    def spans(self) -> bool:
        """Whether its bytes lie in several pages that must be mapped; pages adjacent by chance must be too."""
        return len(self.parts) > 1 and not self.adjacent


class Allocator(Configured, ABC):
    """Packs objects of any size into physical pages.

    A subclass sets `name`, takes its configuration as JSON-safe keyword arguments and defines `alloc`, `free`
    and `pages`; the rest has defaults. That is enough to be used in every command.
    """

    surroundings = frozenset({"page_size", "zone"})

    page_size: int = 4096
    zone: PageZone | None = None
    """The zone that its pages come from; None for a model that counts them itself, without limit."""
    block_order: int = 0
    """Order of the blocks that it takes from the page allocator."""
    unit: int = 1
    """Pages of the largest object that it takes. More than 1 where pages are compressed together."""
    objects_reclaimed: int = 0
    """The most objects that leave with a page that is reclaimed; 0 for an allocator that reclaims none.

    With others handles are less than twice the most objects ever held at once.
    """
    records_size: ClassVar[bool] = False
    """Whether it knows an object's size from its handle, so that its caller need not store it."""
    compiled: ClassVar[bool] = False
    """Whether loops over it are compiled."""

    @abstractmethod
    def alloc(self, size: int) -> int:
        """Store an object of `size` bytes; its handle (0 or more). Raises TooLarge or NoMemory."""

    @abstractmethod
    def free(self, handle: int) -> None:
        """Forget an object. Raises UnknownHandle."""

    @property
    @abstractmethod
    def pages(self) -> int:
        """Physical pages held now."""

    def compact(self) -> int:
        """Move objects together; physical pages released."""
        return 0

    def reclaim(self) -> list[int]:
        """Give up the page that got an object longest ago, with all its objects; their handles, none if it cannot."""
        return []

    def placement(self, handle: int) -> Placement | None:
        """Where an object lies, or None if the model gives objects no place."""
        return None

    @cached_property
    def huge_size(self) -> int:
        """The size from which an object gets pages of its own."""
        return self.page_size

    @cached_property
    def huge_unit(self) -> int:
        """The size from which an object made of `unit` pages is as well kept whole."""
        return self.unit * self.page_size

    def size_class_of(self, size: Ints) -> Ints:
        """The class that objects of each size fall into, as numbers that grow with the size; int64[n]."""
        return size

    def class_usage(self, sizes: Ints) -> list[dict[str, int]]:
        """What each size class takes now, where there are any: a row a class that has zspages.

        `sizes` int64[n] are the bytes of the objects it holds. Each row has `class_size` bytes, `class_pages` and
        `class_objects` of a zspage, `zspages`, `objects`, and bytes, which add up to the pages: `stored`, `rounding`
        (up to the class, and what is kept with an object), `unused` (room for further objects), `tail` (of a zspage).
        """
        return []

    def moved(self) -> Ints:
        """What compaction has moved so far, a row per lock: objects, and their bytes; int64[locks, 2]."""
        return np.zeros((1, 2), np.int64)

    def check(self) -> None:
        """Recount everything from scratch; raises CheckFailed on a mismatch."""

    def stats(self) -> dict[str, int]:
        """Figures of this allocator by name, at least `pages`."""
        return {"pages": self.pages}

    @property
    def loop_type(self) -> type:
        """What a loop over this allocator is compiled for."""
        return type(self)

    def drive(self, loop: Callable[..., int], stop: int, *arguments: Any, start: int = 0) -> None:
        """Run an entry over this allocator, as plain Python unless it is compiled: `loop(state, *arguments, start)`.

        It returns where it stopped because the arrays of the state must grow, or `stop`.
        """
        plain(loop)(self, *arguments, start)


class CompiledAllocator(Allocator):
    """An allocator whose rules are compiled: a state of arrays, and functions over it (`compiled.dispatch.Rules`).

    `state` is replaced when its arrays grow; its class selects the functions.
    """

    compiled = True
    zone: PageZone
    state: Any

    def __init__(self, page_size: int = 4096, zone: PageZone | None = None) -> None:
        if page_size < 4096 or page_size & (page_size - 1) or page_size > 65536:
            raise AllocatorError(f"page_size={page_size}: not a power of two from 4096 to 65536")
        self.page_size = page_size
        self.zone = zone if zone is not None else PageZone()
        self.zone.claim(self.name)

    def alloc(self, size: int) -> int:
        """See `Allocator.alloc`."""
        handle = int(batch.alloc(self.state, size))
        while handle == codes.NO_ROOM:
            self.grow()
            handle = int(batch.alloc(self.state, size))
        if handle == codes.TOO_LARGE:
            raise TooLarge(f"{self.spec}: no object of {size} bytes")
        if handle == codes.NO_MEMORY:
            raise NoMemory(f"{self.spec}: no free pages for an object of {size} bytes")
        return handle

    def free(self, handle: int) -> None:
        """See `Allocator.free`."""
        self.require_handle(handle)
        batch.free(self.state, handle)

    def compact(self) -> int:
        """See `Allocator.compact`."""
        return int(batch.compact(self.state))

    def reclaim(self) -> list[int]:
        """See `Allocator.reclaim`."""
        handles = np.zeros(self.objects_reclaimed, np.int64)
        return [int(handle) for handle in handles[: batch.reclaim(self.state, handles)]]

    @property
    def pages(self) -> int:
        """See `Allocator.pages`."""
        return int(dispatch.pages(self.state))

    @property
    def loop_type(self) -> type:
        """See `Allocator.loop_type`."""
        return type(self.state)

    def drive(self, loop: Callable[..., int], stop: int, *arguments: Any, start: int = 0) -> None:
        """See `Allocator.drive`."""
        done = loop(self.state, *arguments, start)
        while done < stop:
            self.grow()
            done = loop(self.state, *arguments, done)

    def grow(self) -> None:
        """Enlarge the arrays of `state`, after a loop has stopped for want of room."""
        self.state = dispatch.grown(self.state)
        self.zone.state = self.state.zone

    @abstractmethod
    def holds(self, handle: int) -> bool:
        """Whether the handle is in use."""

    def require_handle(self, handle: int) -> None:
        """Raise UnknownHandle unless the handle is in use."""
        if not self.holds(handle):
            raise UnknownHandle(f"{self.spec}: no object has handle {handle}")

    def require(self, condition: bool, what: str) -> None:
        """Raise CheckFailed unless the condition holds."""
        if not condition:
            raise CheckFailed(f"{self.spec}: {what}")
