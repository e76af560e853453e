"""Epochs: records are collected until a look at pagemap can settle them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from workloads.errors import HostError
from workloads.events import LOST, OUT
from workloads.host.cgroup import MemoryCgroup
from workloads.host.pagemap import swapped
from workloads.recorder.backend import Backend
from workloads.recorder.ledger import Ledger, Seen
from workloads.recorder.records import Records, joined
from workloads.recorder.rows import Epoch

EPOCH_S = 0.05  # at least
LOOK_SHARE = 0.05  # of the time that looks may take
PATIENCE_S = 10.0


class Epochs:
    """Reads a backend and closes epochs; times count from `began_ns`."""

    def __init__(
        self, backend: Backend, ledger: Ledger, cgroup: MemoryCgroup, number: int, page_size: int, began_ns: int
    ) -> None:
        """`number` is that of the swap device in pagemap."""
        self._backend, self.ledger, self._cgroup = backend, ledger, cgroup
        self._number, self._page_size, self._began = number, page_size, began_ns
        self._left = Records.none(page_size, 0)  # of the next epoch
        self.pages = self.lost = 0
        self._look_s = 0.0

    def next(self) -> Epoch:
        """Collect for a while, look, and settle."""
        parts = [self._left]
        end = time.monotonic() + max(EPOCH_S, self._look_s / LOOK_SHARE)
        while (now := time.monotonic()) < end:
            parts.append(self._backend.read(end - now))
        return self._close(parts, self._look(), final=False)

    def last(self) -> Iterator[Epoch]:
        """Settle all that is left of a program that stands still. A page of zeros shows in the second look."""
        for final in (False, True):
            yield self._close([self._left], self._look(), final)

    def dropped(self) -> dict[str, int]:
        """What the backend did not see."""
        return self._backend.dropped()

    def _look(self) -> Seen:
        begin = time.monotonic_ns()
        found = swapped(self._cgroup.tasks(), self._number, self._page_size)
        slots = [np.empty(0, np.int64), *found.values()]
        tasks = [np.empty(0, np.int32), *(np.full(len(slot), pid, np.int32) for pid, slot in found.items())]
        end = time.monotonic_ns()
        self._look_s = (end - begin) / 1e9
        return Seen(begin, end, np.concatenate(slots), np.concatenate(tasks))

    def _close(self, parts: list[Records], seen: Seen, final: bool) -> Epoch:
        """Wait until all records up to the end of the look are there, and settle them."""
        patience = time.monotonic() + PATIENCE_S
        while parts[-1].until_ns < seen.end_ns:
            parts.append(self._backend.read(0.05))
            if time.monotonic() > patience:
                raise HostError(f"the backend {self._backend.name} stopped answering; the trace ends there")
        records, self._left = joined(parts).split(seen.end_ns)
        epoch = self.ledger.close_epoch(records, seen, final)
        kind = epoch.events.kind
        self.pages += int((kind == OUT).sum())
        self.lost += int((kind == LOST).sum())
        return epoch.since(self._began)
