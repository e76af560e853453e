"""The thread hands over everything, in order, and says what went wrong in it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from programs_kit import Stand

from workloads.recorder.bpf import drain, ring
from workloads.recorder.bpf.drain import Batch, Drain


def _out(slot: int) -> tuple[int, int, int, int, int, int]:
    return (slot, slot, 1, ring.OUT, 7, slot)


def _all(thread: Drain, events: int) -> list[Batch]:
    batches: list[Batch] = []
    while sum(len(batch.events) for batch in batches) < events:
        batches += thread.take(10)
    return batches


def test_everything_comes_in_order_with_its_contents() -> None:
    stand: Any = Stand(([_out(1), _out(2)], True), ([], True), ([_out(3)], False), ([_out(4)], True))
    thread = Drain(stand)
    batches = _all(thread, 4)
    thread.stop()
    assert [slot for batch in batches for slot in batch.events["slot"].tolist()] == [1, 2, 3, 4]
    assert [byte for batch in batches for byte in batch.content[:, 0].tolist()] == [1, 2, 3, 4]
    assert stand.control.returned == 5
    assert stand.sweeps >= 4


def test_the_time_moves_on_although_nothing_comes() -> None:
    thread = Drain(Stand())  # type: ignore[arg-type]
    before = time.monotonic_ns()
    while (batch := thread.take(0)[-1]).now_ns <= before:
        time.sleep(0.001)
    thread.stop()
    assert len(batch.events) == 0
    assert batch.complete


def test_contents_are_left_to_the_pool_when_the_recorder_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "MOST_PAGES", 2)
    stand: Any = Stand(([_out(1), _out(2)], True), ([_out(3)], True))
    thread = Drain(stand)
    while stand.sweeps < 1:
        time.sleep(0.001)
    time.sleep(0.05)
    assert stand.batches
    assert sum(len(batch.events) for batch in _all(thread, 3)) == 3
    thread.stop()


def test_an_error_in_the_thread_is_raised_where_it_is_read() -> None:
    stand: Any = Stand()

    def fail() -> None:
        raise OSError("the ring is gone")

    stand.sweep = fail
    thread = Drain(stand)
    with pytest.raises(OSError, match="the ring is gone"):
        thread.take(10)
    thread.stop()
