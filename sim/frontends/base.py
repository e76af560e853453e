"""The contract of every frontend: it decides what a page becomes before the allocator packs it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from allocators import Allocator, KernelAllocator
from allocators.kernels import arrays
from sim.frontends.kernels import slots
from sim.parameters import parameters, written
from workloads.sizes import Sizes


class Frontend(ABC):
    """A compressed swap device in front of an allocator; constructor arguments = JSON-safe configuration."""

    name: ClassVar[str]

    @property
    def codecs(self) -> tuple[str, ...]:
        """Specs of the codecs that it uses besides the one of the page-outs."""
        return ()

    @property
    def period(self) -> int:
        """Events after which it wants `maintain` again; 0 for never."""
        return 0

    @property
    def streams(self) -> int | None:
        """Compression streams: writes that can be under way at once. None: one for each CPU, so that none waits."""
        return None

    @abstractmethod
    def device(self, n_slots: int, allocator: Allocator, *secondary: Sizes) -> Any:
        """The state of an empty device of `n_slots` slots over `allocator`, for the kernels.

        `secondary` are the sizes of the pages by each of `codecs`.
        """

    def maintain(self, device: Any, allocator: Allocator) -> None:  # noqa: B027 - most need none
        """Do to a device what is done to it now and then, between two events."""

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


def drive(entry: Any, device: Any, allocator: Allocator, items: Any, *rest: Any) -> None:
    """Run an entry over `items` and what else it takes, compiled, or in Python for a user's own allocator.

    An entry takes the number of the first item last, and returns where it stopped because the allocator's arrays must
    grow, or the number of all.
    """
    if isinstance(allocator, KernelAllocator):
        done = entry(device, allocator.state, items, *rest, 0)
        while done < len(items):
            allocator.grow()
            done = entry(device, allocator.state, items, *rest, done)
    else:
        getattr(entry, "py_func", entry)(device, allocator, items, *rest, 0)


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
