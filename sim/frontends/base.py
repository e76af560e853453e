"""The contract of every frontend: it decides what a page becomes before the allocator packs it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from allocators import Allocator
from allocators.kernels import arrays
from sim.frontends.kernels import slots
from sim.parameters import parameters, written


class Frontend(ABC):
    """A compressed swap device in front of an allocator; constructor arguments = JSON-safe configuration."""

    name: ClassVar[str]

    @abstractmethod
    def device(self, n_slots: int, allocator: Allocator) -> Any:
        """The state of an empty device of `n_slots` slots over `allocator`, for the kernels."""

    def stats(self, device: Any) -> dict[str, int]:
        """What happened on a device so far, by name: page-outs refused, pages read from and written to the device
        behind (refused ones, and what a frontend moves there), and counts of the frontend's own."""
        tally = counted(slots_of(device).tally[0])
        return {name: tally[name] for name in ("refusals", "device_reads", "device_writes")}

    @property
    def spec(self) -> str:
        """`name:key=value,...`, as on the command line: what differs from the defaults."""
        given = [
            f"{name}={written(getattr(self, name))}"
            for name, parameter in parameters(type(self)).items()
            if getattr(self, name) != parameter.default
        ]
        return f"{self.name}:{','.join(given)}" if given else self.name


def empty_slots(n_slots: int) -> slots.Slots:
    """`n_slots` empty slots."""
    return slots.Slots(arrays.records(n_slots, slots.SLOT), arrays.records(1, slots.TALLY))


def counted(record: Any) -> dict[str, int]:
    """A record of counts by their names."""
    return {name: int(record[name]) for name in record.dtype.names}


def slots_of(device: Any) -> slots.Slots:
    """The slots of a device's state."""
    found: slots.Slots = device.slots
    return found


def huge_size(allocator: Allocator) -> int:
    """The compressed size from which zram keeps a page whole: told by zsmalloc, else a page."""
    return int(getattr(allocator, "huge_size", np.int64(allocator.page_size)))
