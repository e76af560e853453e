"""A few kills of the commands that need no root; `make crash` does more, and the live ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
CRASH = Path(__file__).with_name("crash.py")


@pytest.mark.parametrize("command", ["run again", "import", "sample", "strip", "snapshot"])
def test_killed_commands_lose_nothing_and_leave_nothing(command: str) -> None:
    words = [sys.executable, CRASH, "--kills", "2", "--seed", str(len(command)), "--command", command]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
