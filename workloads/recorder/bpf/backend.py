"""The backend `bpf`: events and contents as the kernel's own programs saw them."""

from __future__ import annotations

from types import TracebackType
from typing import ClassVar, Self

import numpy as np

from workloads.errors import HostError
from workloads.recorder.backend import Target
from workloads.recorder.bpf import ring
from workloads.recorder.bpf.drain import Batch, Drain
from workloads.recorder.bpf.programs import Programs, missing
from workloads.recorder.records import (
    DTYPES,
    FOREIGN,
    OURS,
    PAGE_IN,
    PAGE_OUT,
    SLOT_FREE,
    UNKNOWN,
    ZERO_OUT,
    Records,
    joined,
)

# By the kind of an event: its kind as a record, and whose it is.
_KIND = np.zeros(6, DTYPES["kind"])
_OWNER = np.full(6, UNKNOWN, DTYPES["owner"])
for _event, _kind, _owner in (
    (ring.OUT, PAGE_OUT, OURS),
    (ring.IN, PAGE_IN, UNKNOWN),
    (ring.FREE, SLOT_FREE, UNKNOWN),
    (ring.ZERO, ZERO_OUT, OURS),
    (ring.FOREIGN, PAGE_OUT, FOREIGN),
    (ring.LOST, PAGE_OUT, OURS),
):
    _KIND[_event], _OWNER[_event] = _kind, _owner


class BpfBackend:
    """See `workloads.recorder.backend`. What it adds to the kernel disappears with the process, however that ends."""

    name: ClassVar[str] = "bpf"
    sees_zeros: ClassVar[bool] = False  # page-outs only: nothing tells when one is read or freed

    @property
    def sees_frees(self) -> bool:
        """Whether the programs name every slot that is freed on the device; known once entered."""
        return self._programs.names_frees

    @classmethod
    def missing(cls) -> str:
        """What this host lacks; empty when it can be used."""
        return missing()

    def __init__(self, target: Target) -> None:
        if target.page_size != ring.PAGE:
            raise HostError(f"bpf: pages of {target.page_size} bytes are not supported; use --backend tracefs")
        self._target = target
        self._last_ns = 0  # of the events handed over; none that follows is given an earlier time
        self._until_ns = 0

    def __enter__(self) -> Self:
        target = self._target
        cgroup = target.cgroup.stat().st_ino
        try:
            self._programs = Programs(target.device, (target.major, target.minor), target.n_slots, cgroup)
        except HostError as error:
            raise HostError(f"bpf: {error}; use --backend tracefs") from error
        self._programs.control.armed = 1
        self._drain = Drain(self._programs)
        return self

    def read(self, timeout_s: float) -> Records:
        """Hand over what has come; wait at most `timeout_s` for something to come."""
        return joined([self._records(batch) for batch in self._drain.take(timeout_s)])

    def _records(self, batch: Batch) -> Records:
        events = batch.events
        # Each CPU took its place in the ring before it looked at the clock. The places are the order of what happened.
        times = np.maximum(np.maximum.accumulate(events["time_ns"].astype(np.int64)), self._last_ns)
        self._last_ns = int(times[-1]) if len(times) else self._last_ns
        self._until_ns = max(self._until_ns, batch.now_ns if batch.complete else self._last_ns - 1)
        caught = events["kind"] == ring.OUT
        page = np.full(len(events), -1, np.int32)
        page[caught] = np.arange(len(batch.content))
        own = (events["kind"] == ring.IN) & np.isin(events["task"], self._target.ignored)
        repeat = np.where(own, 0, events["pages"]).astype(np.int64)  # one record a page
        row = np.repeat(np.arange(len(events)), repeat)
        offset = np.arange(len(row)) - (np.cumsum(repeat) - repeat)[row]
        return Records(
            kind=_KIND[events["kind"]][row],
            slot=events["slot"].astype(np.int64)[row] + offset,
            time_ns=times[row],
            pid=events["task"].astype(np.int32)[row],
            owner=_OWNER[events["kind"]][row],
            page=page[row],
            content=batch.content,
            until_ns=self._until_ns,
        )

    def dropped(self) -> dict[str, int]:
        """Events that found the ring full."""
        dropped = int(self._programs.control.dropped)
        return {"events that found the ring full": dropped} if dropped else {}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drain.stop()
        self._programs.close()
