"""What each size class takes and wastes at one moment: rows of the `classes` frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.frontends.compiled.slots import HUGE, OBJECT, OUTSIDE

if TYPE_CHECKING:
    from allocators import Allocator


def class_rows(allocator: Allocator, device: Any) -> list[dict[str, int]]:
    """A row a size class in use, see `Allocator.class_usage`; none for an allocator without classes."""
    return allocator.class_usage(objects_in_pool(device)["bytes"].astype(np.int64))


def objects_in_pool(device: Any) -> Any:
    """SLOT[n]: a slot of each object in the pool; the slots of a unit share one."""
    slot = device.slots.slot
    pooled = slot[np.isin(slot["what"], (OBJECT, HUGE)) & (slot["handle"] != OUTSIDE)]
    return pooled[np.unique(pooled["handle"], return_index=True)[1]]
