"""The contract of every frontend: it decides what a page becomes before the allocator packs it."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

import numpy as np

from allocators import Allocator
from allocators.compiled import arrays
from allocators.configured import Configured
from sim.frontends.compiled import slots
from workloads.host.mmstat import MmStat
from workloads.traces.sizes import Sizes
from workloads.traces.trace import Trace

Bytes = Annotated[int, "bytes"]  # in a spec: 4096, or 256M
Pages = Annotated[int, "pages"]
NO_LIMIT = np.iinfo(np.int64).max


class Frontend(Configured, ABC):
    """A compressed swap device in front of an allocator; its constructor's arguments, JSON-safe, configure it."""

    pools: ClassVar[bool] = True
    """Whether it keeps pages in memory, so that compressor and allocator matter."""

    unit: int = 1
    """Pages that it stores as one object, where they are neighbours that go out together (`Trace.units`)."""

    @property
    def compressors(self) -> tuple[str, ...]:
        """Specs of its secondary compressors."""
        return ()

    @property
    def period(self) -> int:
        """Events after which it wants `maintain` again; 0 for never."""
        return 0

    @property
    def streams(self) -> int | None:
        """Compression streams: writes that can be under way at once. None: one for each CPU, so that none waits."""
        return None

    def on(self, trace: Trace) -> Frontend:
        """The frontend as it is for this trace: with what only the trace can tell. By default the same."""
        return self

    def in_ram(self, pages: int) -> Frontend:
        """The frontend as it is on a machine of so many pages, which it shares with the program. By default the same.

        `spec` stays that of the one it was made from.
        """
        return self

    def remarks(self, trace: Trace) -> Iterator[str]:
        """What a run of this trace should be told that it may not have meant: `sim.errors.remark`s."""
        yield from ()

    @abstractmethod
    def device(self, n_slots: int, allocator: Allocator, *secondary: Sizes) -> Any:
        """The state of an empty device of `n_slots` slots over `allocator`, a NamedTuple that has rules
        (`compiled.dispatch.Rules`).

        `secondary` are the sizes of the pages by each of `compressors`; where `unit` is more than 1, those of pages
        and units by the primary one.
        """

    def maintain(self, device: Any, allocator: Allocator) -> None:
        """Do periodic work on a device, between two events."""

    def mm_stat(self, device: Any, allocator: Allocator) -> MmStat | None:
        """What zram's mm_stat says now; None for a device that has no such file."""
        return None

    def stats(self, device: Any) -> dict[str, int]:
        """What happened on a device so far, by name: page-outs refused, pages read from and written to the swap
        device (refused ones, and what a frontend moves there), and counts of the frontend's own."""
        tally = counted(device.slots.tally[0])
        return {name: tally[name] for name in ("refusals", "device_reads", "device_writes")}


class LimitedByRam(Frontend):
    """A frontend whose pool is limited by the RAM of the machine, if that is known; `unlimited` says what else."""

    unlimited: ClassVar[str]

    def __init__(self, ram_pages: int) -> None:
        if ram_pages < 0:
            raise ValueError(f"ram_pages={ram_pages}: give 0 (no limit) or a number of pages")
        self.ram_pages = self._pages = ram_pages

    def in_ram(self, pages: int) -> LimitedByRam:
        """See `Frontend.in_ram`: the pool is limited by that, unless `ram_pages` was given."""
        other = copy.copy(self)
        other._pages = self.ram_pages or pages
        return other

    def remarks(self, trace: Trace) -> Iterator[str]:
        """See `Frontend.remarks`."""
        if not self._pages:
            yield (
                f"{self.name} without ram_pages has no limit: {self.unlimited}; "
                f"give {self.name}:ram_pages=N, the pages of RAM of the machine"
            )


def empty_slots(n_slots: int) -> slots.Slots:
    """`n_slots` empty slots."""
    return slots.Slots(arrays.records(n_slots, slots.SLOT), arrays.records(1, slots.TALLY))


def counted(record: Any) -> dict[str, int]:
    """A record of counts by their names."""
    return {name: int(record[name]) for name in record.dtype.names}
