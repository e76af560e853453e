"""The program that is recorded: how it begins and ends, and what of the recorder it notices."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from workloads.errors import HostError
from workloads.recorder.program import Program

ROOT = Path(__file__).parents[3]


@contextmanager
def program(*command: str) -> Iterator[Program]:
    made = Program(command, None)
    try:
        yield made
    finally:
        made.end()
        made.reap()


def status(*command: str) -> int | None:
    with program(*command) as made:
        made.begin()
        made._process.wait(60)
        return made.status()


def test_its_status() -> None:
    assert status("sh", "-c", "exit 7") == 7
    assert status("sh", "-c", "kill -KILL $$") == 128 + signal.SIGKILL


def test_signals_are_as_the_shell_has_them() -> None:
    script = """
from workloads.recorder.program import Program
made = Program(["grep", "SigIgn", "/proc/self/status"], None)
made.begin()
made._process.wait()
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    said = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=60)
    ignored = int(said.stdout.split()[1], 16)  # a bit a signal; others than Python's own may come from whoever runs us
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        assert not ignored >> (number - 1) & 1, said


def test_it_waits_until_it_may_begin() -> None:
    with program("true") as made:
        assert made.status() is None
        os.kill(made.pid, 0)


@pytest.mark.parametrize(
    ("command", "why"), [("/no/such", "no such file or directory"), ("/etc/passwd", "permission denied")]
)
def test_none(command: str, why: str) -> None:
    with program(command) as made, pytest.raises(HostError, match=rf"{command}: cannot be run \({why}\)"):
        made.begin()


def test_who_does_not_end_is_killed(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    with program("sh", "-c", f"trap '' TERM; : > {ready}; while :; do sleep 0.05; done") as made:
        made.begin()
        while not ready.exists():
            time.sleep(0.01)
        made.end(patience_s=0.2)
        made.reap()
        assert made.status() == 128 + signal.SIGKILL
