from __future__ import annotations

import multiprocessing
import os
import signal
import time
from multiprocessing.connection import Connection

import pytest
from alive import alive

from sim.errors import UserError
from sim.workers import worker_pool


def test_a_killed_worker_is_told_with_its_work() -> None:
    said = "lz4 on gcc: a worker process was killed"
    with pytest.raises(UserError, match=said), worker_pool(2, "lz4 on gcc") as pool:
        pool.submit(signal.raise_signal, signal.SIGKILL).result()


def work_for_ever(told: Connection) -> None:
    with worker_pool(2, "work") as pool:
        found = [pool.submit(os.getpid).result(), pool.submit(os.getpid).result()]
        told.send(found)
        list(pool.map(time.sleep, [600] * 4))


def test_workers_end_with_their_parent() -> None:
    ours, theirs = multiprocessing.Pipe()
    parent = multiprocessing.get_context("fork").Process(target=work_for_ever, args=(theirs,))
    parent.start()
    workers = ours.recv()
    parent.kill()
    parent.join()
    deadline = time.monotonic() + 10
    while (left := [pid for pid in workers if alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left
