"""Epochs: records are collected until a look at pagemap can settle them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from workloads.errors import HostError
from workloads.host.cgroup import MemoryCgroup
from workloads.host.direct import SlotReader
from workloads.host.pagemap import swapped
from workloads.recorder.backend import Backend
from workloads.recorder.ledger import ON_ITS_WAY_NS, Ledger, Seen
from workloads.recorder.neighbours import Mask
from workloads.recorder.records import PAGE_OUT, UNKNOWN, Records, joined
from workloads.recorder.rows import Epoch
from workloads.traces.events import LOST, OUT

EPOCH_S = 0.05  # at least
LOOK_SHARE = 0.05  # of the time that looks may take
PATIENCE_S = 10.0
MOST_WAITING = 1 << 16  # pages of contents, whosever they are: then an epoch ends early


class Epochs:
    """Reads a backend and closes epochs; times count from its making on."""

    def __init__(
        self, backend: Backend, slots: SlotReader, n_slots: int, cgroup: MemoryCgroup, number: int, page_size: int
    ) -> None:
        """`number` is that of the swap device in pagemap."""
        self._backend, self._slots, self._cgroup = backend, slots, cgroup
        self._number, self._page_size = number, page_size
        self.ledger = Ledger(n_slots, self._unchanged, backend.sees_frees, backend.sees_zeros)
        self.began_ns = time.monotonic_ns()
        self._parts = [Records.none(page_size, 0)]  # not yet settled
        self.pages = self.lost = 0
        self._look_s = 0.0

    def next(self) -> Epoch:
        """Collect for a while, look, and settle."""
        end = time.monotonic() + max(EPOCH_S, self._look_s / LOOK_SHARE)
        waiting = sum(len(part.content) for part in self._parts)
        while (now := time.monotonic()) < end and waiting < MOST_WAITING:
            waiting += self._read(end - now)
            self._cgroup.relieve()
        return self._close(self._look(), final=False)

    def last(self) -> Iterator[Epoch]:
        """Settle all that is left of a program that stands still. A page of zeros shows in the second look."""
        for final in (False, True):
            yield self._close(self._look(), final)

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

    def _read(self, timeout_s: float) -> int:
        """Read once; how many pages of contents came."""
        self._parts.append(self._backend.read(timeout_s))
        return len(self._parts[-1].content)

    def _read_until(self, time_ns: int) -> None:
        """Read until all records of that time and before are there."""
        patience = time.monotonic() + PATIENCE_S
        while self._parts[-1].until_ns < time_ns:
            self._read(0.05)
            if time.monotonic() > patience:
                raise HostError(f"the backend {self._backend.name} stopped answering; the trace ends there")

    def _unchanged(self, slots: npt.NDArray[np.int64]) -> Mask:
        """Which slots hold what they held at the end of the epoch: they read as no zeros, nor were written since."""
        _, done, held = self._slots.read(slots)
        self._read_until(int(done[-1]))
        for later in self._parts:
            written = (later.kind == PAGE_OUT) & (later.time_ns <= done[-1])
            held &= ~np.isin(slots, later.slot[written])
        return held

    def _written_until(self, time_ns: int) -> npt.NDArray[np.int64]:
        """The slots that are written up to that time."""
        self._read_until(time_ns)
        written = [part.slot[(part.kind == PAGE_OUT) & (part.time_ns <= time_ns)] for part in self._parts]
        return np.unique(np.concatenate(written))

    def _close(self, seen: Seen, final: bool) -> Epoch:
        """Settle all records up to the end of the look."""
        self._read_until(seen.end_ns)
        records, left = joined(self._parts).split(seen.end_ns)
        self._parts = [left]
        if ((records.owner == UNKNOWN) & (records.kind == PAGE_OUT)).any():
            seen = replace(seen, soon=self._written_until(seen.end_ns + ON_ITS_WAY_NS))
        epoch = self.ledger.close_epoch(records, seen, final)
        kind = epoch.events.kind
        self.pages += int((kind == OUT).sum())
        self.lost += int((kind == LOST).sum())
        return epoch.since(self.began_ns)
