"""What is done again and again."""

from __future__ import annotations

import threading

from workloads.recorder.periodic import Periodic


def test_until_the_end_whatever_the_kernel_answers() -> None:
    calls: list[int] = []
    enough = threading.Event()

    def call() -> None:
        calls.append(len(calls))
        if len(calls) == 5:
            enough.set()
        if len(calls) % 2:
            raise OSError(16, "busy")

    with Periodic(0.001, call) as running:
        assert enough.wait(10)
    done = len(calls)
    assert running.cpu_ns > 0
    assert not any(thread is running._thread for thread in threading.enumerate())
    assert len(calls) == done >= 5
