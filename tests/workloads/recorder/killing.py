"""Recorders killed at random moments: what they leave on the host. As a command: `python killing.py [STARTS] [SEED]`.

Half of the starts end by themselves, the others by SIGINT, SIGTERM and SIGKILL. After all but SIGKILL the host must be
as before; after SIGKILL it must be so once `cswap record cleanup` has run. Needs root, zram and memory cgroups.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROGRAM = """
import os, random
memory = bytearray(48 << 20)
for turn in range(2):
    for at in range(0, len(memory), 4096):
        memory[at : at + 512] = os.urandom(512)
"""
LONGEST_S = 4.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
CGROUPS = ("/sys/fs/cgroup/memory", "/sys/fs/cgroup")


def host_state() -> dict[str, object]:
    """All that a recorder may add."""
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    journals = Path(os.environ.get("CSWAP_RUN", "/run/cswap"))
    return {
        "swap": Path("/proc/swaps").read_text().splitlines()[1:],
        "devices": sorted(path.name for path in Path("/sys/block").glob("zram*")),
        "cgroups": sorted(str(path) for place in CGROUPS for path in Path(place).glob("cswap-*")),
        "tracing": [line.split()[1] for line in mounts if line.split()[2] == "tracefs"],
        "journals": sorted(path.name for path in journals.glob("*")),
        "readers": _readers(),
    }


def _readers() -> list[str]:
    found = []
    for name in filter(str.isdecimal, os.listdir("/proc")):  # a glob would look whether each is still there, and raise
        with suppress(OSError):
            if b"workloads.recorder.tracefs.reader" in Path("/proc", name, "cmdline").read_bytes().split(b"\0"):
                found.append(name)
    return found


def recorder(out: Path, *options: str) -> subprocess.Popen[str]:
    """Start a recorder of a small program."""
    words = ["record", "-o", str(out), "--limit", "16M", *options, "--", sys.executable, "-c", PROGRAM]
    return subprocess.Popen(
        [sys.executable, "-m", "sim", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def clean() -> str:
    """Run the clean-up; what it says."""
    words = [sys.executable, "-m", "sim", "record", "cleanup"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(words, env=env, capture_output=True, text=True, check=True, timeout=60).stdout


def start_and_end(folder: Path, number: signal.Signals | None, delay: float, *options: str) -> str:
    """One start, ended by a signal after `delay` seconds if there is one; what was wrong, empty if nothing was."""
    before = host_state()
    out = folder / f"{time.monotonic_ns()}.cswap"
    running = recorder(out, *options)
    if number is not None:
        time.sleep(delay)
        running.send_signal(number)
    said, _ = running.communicate(timeout=60)
    left = {key: value for key, value in host_state().items() if value != before[key]}
    if number == signal.SIGKILL:
        removed = clean()
        left = {key: value for key, value in host_state().items() if value != before[key]}
        return f"after cleanup, which said {removed!r}: {left}" if left else ""
    if number is None and running.returncode:
        return f"ended with {running.returncode}: {said}"
    return f"left behind: {left}; it said {said!r}" if left else ""


def main() -> None:
    """Run the starts and say how each ended."""
    starts = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    draw = random.Random(seed)
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for i in range(starts):
            number = SIGNALS[i // 2 % len(SIGNALS)] if i % 2 else None
            delay = draw.uniform(0.1, LONGEST_S)
            problem = start_and_end(Path(folder), number, delay, "--backend", ("tracefs", "bpf")[i // 2 % 2])
            how = f"{number.name} after {delay:.2f} s" if number else "by itself"
            print(f"{i + 1:3} {how:24} {problem or 'nothing left'}", flush=True)
            wrong += bool(problem)
    print(f"{starts - wrong} of {starts} left nothing")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
