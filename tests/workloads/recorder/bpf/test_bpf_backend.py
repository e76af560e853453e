"""Events become records: one a page, in the order of the ring, contents with those that have them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from programs_kit import Row, Stand, events_of

from workloads.errors import HostError
from workloads.recorder.backend import Target
from workloads.recorder.bpf import ring
from workloads.recorder.bpf.backend import BpfBackend
from workloads.recorder.bpf.drain import Batch
from workloads.recorder.records import FOREIGN, OURS, PAGE_IN, PAGE_OUT, SLOT_FREE, UNKNOWN, ZERO_OUT

TARGET = Target(
    device=Path("/dev/null"),
    major=1,
    minor=3,
    n_slots=100,
    cgroup=Path("/"),
    version=1,
    page_size=ring.PAGE,
    ignored=(77,),
    name="test",
)


def _backend(stand: Stand, *batches: tuple[list[Row], bool]) -> BpfBackend:
    """A backend whose thread has handed over these batches, one a read."""
    waiting = [
        [Batch(events := events_of(rows), _content(events), 1000 + i, complete)]
        for i, (rows, complete) in enumerate(batches)
    ]
    backend = BpfBackend(TARGET)
    backend._programs = stand  # type: ignore[assignment]
    backend._drain = SimpleNamespace(take=lambda timeout: waiting.pop(0))  # type: ignore[assignment]
    return backend


def _content(events: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.repeat(events["taken"][events["kind"] == ring.OUT].astype(np.uint8)[:, None], ring.PAGE, 1)


def test_an_event_of_many_pages_is_many_records() -> None:
    rows = [
        (100, 10, 1, ring.OUT, 7, 0),
        (101, 11, 1, ring.OUT, 7, 1),
        (102, 20, 3, ring.IN, 8, 0),
        (103, 30, 2, ring.IN, 77, 0),  # the recorder's own
        (104, 40, 2, ring.FOREIGN, 9, 0),
        (105, 50, 1, ring.FREE, 7, 0),
        (106, 60, 2, ring.ZERO, 7, 0),
        (107, 70, 1, ring.LOST, 7, 2),
        (108, 71, 1, ring.OUT, 7, 3),
    ]
    records = _backend(Stand(), (rows, True)).read(0)
    out, free, zero = PAGE_OUT, SLOT_FREE, ZERO_OUT
    assert records.kind.tolist() == [out, out, *3 * [PAGE_IN], out, out, free, zero, zero, out, out]
    assert records.slot.tolist() == [10, 11, 20, 21, 22, 40, 41, 50, 60, 61, 70, 71]
    assert records.owner.tolist() == [
        *2 * [OURS], *3 * [UNKNOWN], *2 * [FOREIGN], UNKNOWN, *4 * [OURS],
    ]  # fmt: skip
    assert records.page.tolist() == [0, 1, *8 * [-1], -1, 2]
    assert records.content[:, 0].tolist() == [0, 1, 3]
    assert records.until_ns == 1000


def test_time_never_runs_backwards_and_nothing_is_promised_behind_an_incomplete_event() -> None:
    first = [(200, 1, 1, ring.FREE, 7, 0), (190, 2, 1, ring.FREE, 7, 0)]
    second = [(195, 3, 1, ring.FREE, 7, 0), (300, 4, 1, ring.FREE, 7, 0)]
    backend = _backend(Stand(), (first, False), (second, True), ([], True))
    records = backend.read(0)
    assert records.time_ns.tolist() == [200, 200]
    assert records.until_ns < 200
    records = backend.read(0)
    assert records.time_ns.tolist() == [200, 300]
    assert records.until_ns == 1001
    records = backend.read(0)
    assert (len(records), records.until_ns) == (0, 1002)


def test_what_found_no_room_is_counted() -> None:
    stand = Stand()
    backend = _backend(stand)
    assert backend.dropped() == {}
    stand.control.dropped = 3
    assert list(backend.dropped().values()) == [3]


def test_pages_of_another_size_are_refused() -> None:
    with pytest.raises(HostError, match="65536"):
        BpfBackend(Target(**{**vars(TARGET), "page_size": 65536}))
