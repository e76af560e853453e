"""How objects are packed into physical pages: exact models of the kernel's allocators.

This package knows nothing of traces, codecs or clocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allocators.errors import AllocatorError, CheckFailed, NoMemory, Refused, TooLarge, UnknownHandle

if TYPE_CHECKING:
    from allocators.base import Allocator, CompiledAllocator, Placement
    from allocators.contract import check_contract
    from allocators.zone import PageZone

# What needs numba is imported on first use, so that `cswap --help` need not wait.
_LAZY = {
    "Allocator": "allocators.base",
    "CompiledAllocator": "allocators.base",
    "Placement": "allocators.base",
    "PageZone": "allocators.zone",
    "check_contract": "allocators.contract",
}

__all__ = [
    "Allocator",
    "AllocatorError",
    "CheckFailed",
    "CompiledAllocator",
    "NoMemory",
    "PageZone",
    "Placement",
    "Refused",
    "TooLarge",
    "UnknownHandle",
    "check_contract",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
