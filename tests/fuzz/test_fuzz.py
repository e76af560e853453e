"""A bounded slice of the fuzzer at every door, and every input once answered wrongly. `make fuzz` does more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
FUZZ = Path(__file__).with_name("fuzz.py")


def fuzz(*words: object, cwd: Path | None = None) -> None:
    done = subprocess.run([sys.executable, FUZZ, *map(str, words)], capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]


def test_a_slice_of_every_door(tmp_path: Path) -> None:
    fuzz("--cases", 10, "--found", tmp_path)


def test_what_was_once_answered_wrongly() -> None:
    fuzz("--corpus")


WRONG = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import fuzz
sys.path[:0] = fuzz.PATHS
import doors
def spin(folder):
    while True:
        pass
answers = {
    "true": lambda folder: None, "signal": lambda folder: os.kill(os.getpid(), signal.SIGSEGV), "hang": spin,
    "fault": lambda folder: {}[0], "memory": lambda folder: len(bytearray(1200 << 20)),
    "outside": lambda folder: (folder.parent / "x").write_text(""),
}
fuzz.MOST_S = 5
doors.DOORS = {name: doors.Door(lambda draw, folder: None, answer) for name, answer in answers.items()}
for outcome in fuzz.fuzz(iter([(name, n) for n in range(2) for name in answers]), 2):
    print(outcome.door, outcome.verdict)
"""


def test_the_fuzzer_tells_what_is_wrong(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", WRONG, FUZZ.parent], capture_output=True, text=True, check=True)
    told = [line.split() for line in done.stdout.splitlines()]
    assert len(told) == 12
    assert all(door == verdict for door, verdict in told)


def test_a_case_makes_the_same_input_again(tmp_path: Path) -> None:
    fuzz("--door", "ops", "--case", 7, cwd=tmp_path)
    first = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    fuzz("--door", "ops", "--case", 7, cwd=tmp_path)
    assert first == {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert first
