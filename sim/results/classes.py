"""What each size class takes and wastes at one moment: rows of the `classes` frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.frontends.compiled.slots import HUGE, OBJECT, OUTSIDE

if TYPE_CHECKING:
    from allocators import Allocator


def class_rows(allocator: Allocator, device: Any) -> list[dict[str, int]]:
    """A row a size class in use, see `Allocator.class_usage`; none for an allocator without classes."""
    slot = device.slots.slot
    pooled = np.isin(slot["what"], (OBJECT, HUGE)) & (slot["handle"] != OUTSIDE)
    return allocator.class_usage(slot["bytes"][pooled].astype(np.int64))
