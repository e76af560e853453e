"""What the tests on zram devices of this host share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from workloads.errors import HostError
from workloads.host import zram
from workloads.host.registry import journals

ROOT = Path(__file__).parents[3]


def unavailable() -> str:
    try:
        zram.require_zram()
    except HostError as error:
        return str(error)
    return ""


needs_zram = pytest.mark.skipif(bool(unavailable()), reason=unavailable() or "zram is there")


def devices() -> set[str]:
    return {path.name for path in Path("/sys/block").glob("zram*")}


def unclaimed_devices() -> set[str]:
    """Those that no living process but this one has noted as its own; the commands that tests run note elsewhere."""
    living = [journal for journal in journals() if journal.alive and journal.pid != os.getpid()]
    noted = {entry.name for journal in living for entry in journal.entries()}
    return devices() - noted


def with_device(run: Path, *words: str) -> tuple[subprocess.Popen[str], str]:
    """The command as a process, once its zram device is there; and that device, which it notes in `run`."""
    running = subprocess.Popen(
        [sys.executable, "-m", "sim", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), "CSWAP_RUN": str(run)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while running.poll() is None:
        noted = [json.loads(line) for path in run.glob("*.journal") for line in path.read_text().splitlines()]
        names = [entry["name"] for entry in noted if entry["what"] == "device"]
        if names:
            return running, names[0]
        time.sleep(0.0005)
    raise AssertionError(running.communicate())
