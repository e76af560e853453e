"""The size classes of a pool at a trace's fullest moment, with what is wasted in each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from allocators.zspages.table import Row, class_of_handles, class_table
from sim.replay.replay import replay
from sim.results.classes import objects_in_pool

if TYPE_CHECKING:
    from allocators.zspages.allocator import ZspageAllocator
    from sim.frontends.base import Frontend
    from workloads.traces.sizes import Sizes
    from workloads.traces.trace import Trace


def classes_at_fullest(
    trace: Trace,
    sizes: Sizes,
    frontend: Frontend,
    allocator: ZspageAllocator,
    secondary: Sequence[Sizes] = (),
) -> list[Row]:
    """Rows of `allocators.zspages.table.class_table` after the trace's fullest moment, over a new allocator.

    `wasted`: bytes of a class's pages in which no compressed byte lies.
    """
    found: list[Row] = []

    def take() -> None:
        stored = objects_in_pool(running.device)
        held = np.zeros(len(allocator.classes), np.int64)
        np.add.at(held, class_of_handles(allocator, stored["handle"]), stored["bytes"])
        for row, used in zip(class_table(allocator), held.tolist(), strict=True):
            found.append(row | {"wasted": row["pages_used"] * allocator.page_size - used})

    running = replay(trace, sizes, frontend, allocator, secondary=secondary)
    running.look_after(trace.fullest.event, take)
    for _ in running:
        if found:
            break
    return found
