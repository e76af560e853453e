"""The consumer of the ring and of the pool, on files laid out as the kernel lays them out."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pytest

from workloads.recorder.bpf.ring import EVENT, PAGE, POOL_PAGES, RING_BYTES, Pool, Ring

BUSY, DISCARDED = 1 << 31, 1 << 30


class Kernel:
    """The producer's side of a ring."""

    def __init__(self, fd: int, position: int) -> None:
        self.fd, self.position = fd, position
        os.truncate(fd, 2 * PAGE + 2 * RING_BYTES)
        self._put(0, position.to_bytes(8, "little"))
        self._publish()

    def add(self, slot: int, flag: int = 0) -> int:
        event = np.zeros(1, EVENT)
        event["length"], event["slot"] = 32 | flag, slot
        at = self.position % RING_BYTES
        for copy in range(2):  # the data are mapped twice
            whole = event.tobytes()
            place = 2 * PAGE + copy * RING_BYTES + at
            first = 2 * PAGE + (copy + 1) * RING_BYTES - place
            self._put(place, whole[:first])
            self._put(2 * PAGE + (1 - copy) * RING_BYTES, whole[first:])
        self.position += len(whole)
        self._publish()
        return at

    def submit(self, at: int) -> None:
        for copy in range(2):
            self._put(2 * PAGE + copy * RING_BYTES + at, (32).to_bytes(4, "little"))

    def consumed(self) -> int:
        return int.from_bytes(os.pread(self.fd, 8, 0), "little")

    def _publish(self) -> None:
        self._put(PAGE, self.position.to_bytes(8, "little"))

    def _put(self, at: int, data: bytes) -> None:
        os.pwrite(self.fd, data, at)


@pytest.fixture
def fd() -> Iterator[int]:
    fd = os.memfd_create("ring")
    yield fd
    os.close(fd)


@pytest.mark.parametrize("position", [0, 40 * 7, RING_BYTES - 40, RING_BYTES - 16, 5 * RING_BYTES - 88])
def test_events_come_in_order_across_the_end_of_the_ring(fd: int, position: int) -> None:
    kernel = Kernel(fd, position - position % 8)
    ring = Ring(fd)
    for round_ in range(3):
        for slot in range(round_ * 3, round_ * 3 + 3):
            kernel.add(slot)
        events, complete = ring.take()
        assert events["slot"].tolist() == [round_ * 3, round_ * 3 + 1, round_ * 3 + 2]
        assert complete
        assert kernel.consumed() == kernel.position
    assert len(ring.take()[0]) == 0


def test_an_event_that_is_not_complete_holds_back_those_behind_it(fd: int) -> None:
    kernel = Kernel(fd, 0)
    ring = Ring(fd)
    kernel.add(1)
    at = kernel.add(2, BUSY)
    kernel.add(3)
    events, complete = ring.take()
    assert (events["slot"].tolist(), complete) == ([1], False)
    kernel.submit(at)
    events, complete = ring.take()
    assert (events["slot"].tolist(), complete) == ([2, 3], True)


def test_an_event_that_was_taken_back_is_none(fd: int) -> None:
    kernel = Kernel(fd, 0)
    for slot, flag in ((1, 0), (2, DISCARDED), (3, 0)):
        kernel.add(slot, flag)
    assert Ring(fd).take()[0]["slot"].tolist() == [1, 3]


def test_pages_come_from_the_places_they_were_put_in_round_and_round(fd: int) -> None:
    os.truncate(fd, POOL_PAGES * PAGE)
    for place in (0, 5, POOL_PAGES - 1):
        os.pwrite(fd, bytes([place % 251]) * PAGE, place * PAGE)
    taken = np.array([POOL_PAGES - 1, POOL_PAGES, 3 * POOL_PAGES + 5], np.uint32)
    pages = Pool(fd).copies(taken)
    assert pages.shape == (3, PAGE)
    assert pages[:, 0].tolist() == [(POOL_PAGES - 1) % 251, 0, 5]
    assert (pages == pages[:, :1]).all()
