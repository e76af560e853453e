"""The contract of every allocator, and the thin class above the compiled ones."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from allocators.errors import AllocatorError, CheckFailed, NoMemory, TooLarge, UnknownHandle
from allocators.kernels import codes
from allocators.zone import PageZone


class Placement(NamedTuple):
    """Where an object lies: byte ranges of physical pages, in the order of its bytes."""

    parts: tuple[tuple[int, int, int], ...]  # (page number, offset, bytes)
    one_block: bool = False  # its pages were allocated as one block, so they are known to be adjacent

    @property
    def spans(self) -> bool:
        """Whether its bytes lie in several pages that must be mapped; pages adjacent by chance must be too."""
        return len(self.parts) > 1 and not self.one_block


class Allocator(ABC):
    """Packs objects of any size into physical pages.

    A subclass sets `name`, takes its configuration as JSON-safe keyword arguments and defines `alloc`, `free`
    and `pages`; the rest has defaults. That is enough to be used in every command.
    """

    name: ClassVar[str]
    page_size: int = 4096

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

    def shrink(self) -> int:
        """Release pages that are kept empty for later; how many."""
        return 0

    def placement(self, handle: int) -> Placement | None:
        """Where an object lies, or None if the model gives objects no place."""
        return None

    def moved(self) -> npt.NDArray[np.int64]:
        """What compaction has moved so far, a row a lock: objects, and their bytes; int64[locks, 2]."""
        return np.zeros((1, 2), np.int64)

    def check(self) -> None:  # noqa: B027 - nothing to recount, unless there is
        """Recount everything from scratch; raises CheckFailed on a mismatch."""

    def stats(self) -> dict[str, int]:
        """Figures of this allocator by name, at least `pages`."""
        return {"pages": self.pages}

    @property
    def config(self) -> dict[str, Any]:
        """The arguments that differ from the allocator as `name` alone gives it."""
        return {}

    @property
    def spec(self) -> str:
        """`name:key=value,...`, as on the command line."""
        settings = ",".join(f"{key}={value}" for key, value in self.config.items())
        return f"{self.name}:{settings}" if settings else self.name


class KernelAllocator(Allocator):
    """An allocator whose rules are compiled: a state of arrays, and functions from `kernels` over it.

    `state` is replaced when its arrays grow; its class selects the functions (`kernels.dispatch`).
    """

    state: Any

    def __init__(self, page_size: int = 4096, zone: PageZone | None = None) -> None:
        if page_size < 4096 or page_size & (page_size - 1) or page_size > 65536:
            raise AllocatorError(f"page_size={page_size}: not a power of two from 4096 to 65536")
        self.page_size = page_size
        self.zone = zone if zone is not None else PageZone()
        self.zone.claim(self.name)

    def alloc(self, size: int) -> int:
        """See `Allocator.alloc`."""
        from allocators.kernels import calls

        handle = int(calls.alloc(self.state, size))
        while handle == codes.NO_ROOM:
            self.grow()
            handle = int(calls.alloc(self.state, size))
        if handle == codes.TOO_LARGE:
            raise TooLarge(f"{self.spec}: no object of {size} bytes")
        if handle == codes.NO_MEMORY:
            raise NoMemory(f"{self.spec}: no free pages for an object of {size} bytes")
        return handle

    def free(self, handle: int) -> None:
        """See `Allocator.free`."""
        from allocators.kernels import calls

        self.require_handle(handle)
        calls.free(self.state, handle)

    def compact(self) -> int:
        """See `Allocator.compact`."""
        from allocators.kernels import calls

        return int(calls.compact(self.state))

    @property
    def pages(self) -> int:
        """See `Allocator.pages`."""
        return int(self.state.zone.info[0].held)

    def grow(self) -> None:
        """Enlarge the arrays of `state`, after a kernel has stopped for want of room."""
        from allocators.kernels import dispatch

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
