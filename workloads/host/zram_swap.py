"""A zram device of our own that is swap, before all other swap, for as long as it is used."""

from __future__ import annotations

import mmap
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from workloads.errors import HostError
from workloads.host.identity import difference, of_device
from workloads.host.mmstat import MmStat
from workloads.host.registry import Entry, journals, noted
from workloads.host.swap import HIGHEST, active, header, page_out_own, swap_off, swap_on
from workloads.host.zram import PAGE, ZramDevice, zram_device


class SwapDevice:
    """`path` /dev/zramN, `folder` in /sys/block; `number` as pagemap names it; `n_slots` pages, the header first."""

    def __init__(self, device: ZramDevice, n_slots: int) -> None:
        self._device = device
        self.path, self.folder = Path("/dev") / device.name, device.folder
        self.n_slots = n_slots
        status = os.stat(self.path)
        self.major, self.minor = os.major(status.st_rdev), os.minor(status.st_rdev)
        self.number = -1
        self.identity = uuid.uuid4()

    def marks(self) -> dict[str, str]:
        """What tells this swap from other swap on a device of this name."""
        return {**self._device.marks(), "uuid": str(self.identity)}

    def begin(self) -> None:
        """Write the header, swap on, and page a page of our own out and in, to see that it works. Raises HostError."""
        require_first()
        with mmap.mmap(-1, PAGE) as page:
            page[:] = header(self.n_slots, PAGE, self.identity)
            if not self._device.write(0, memoryview(page)):
                raise HostError(f"{self.path}: the swap header could not be written")
        swap_on(self.path)
        with page_out_own() as (number, slot, content), mmap.mmap(-1, PAGE) as page:
            self.number = number
            self._device.read(slot, page)
            if page[:] != content:
                raise HostError(f"{self.path}: slot {slot} holds another page than was paged out to it")

    def mm_stat(self) -> MmStat:
        """The nine fields now."""
        return self._device.mm_stat()


def require_first() -> None:
    """Raise HostError, which says whose it is, if there is swap that comes before or with ours."""
    for name, priority in active().items():
        if priority < HIGHEST:
            continue
        marks = of_device(Path(name).name)
        alive = [
            journal.alive
            for journal in journals()
            for entry in journal.entries()
            if entry.same(Entry("swap", name)) and not difference(entry.marks, marks)
        ]
        if any(alive):
            raise HostError(f"{name} is the swap of another recording that is under way; wait until it has ended")
        if alive:
            raise HostError(f"{name} was left behind by a killed recorder; `cswap record cleanup` removes it")
        raise HostError(f"{name} is swap with the highest priority; swap it on again with a lower one")


@contextmanager
def swap_device(codec: str, n_slots: int, parameters: str = "", option: str = "--algorithm") -> Iterator[SwapDevice]:
    """Add a zram device as swap, and remove it whatever happens; all as for `zram_device`. Raises HostError.

    Leaving brings pages that are still out back into memory: end the program before.
    """
    with zram_device(codec, n_slots, parameters=parameters, option=option) as device:
        swap = SwapDevice(device, n_slots)
        with noted("swap", str(swap.path), partial(swap_off, swap.path)) as known:
            known(swap.marks())
            swap.begin()
            yield swap
