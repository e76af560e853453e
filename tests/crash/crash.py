"""Commands killed at random moments, and what they leave. As a command: `python tests/crash/crash.py --help`.

Each command is started on inputs of its own, in a folder of its own, with its own cache and folder for temporary
files. It, or one of its children, gets SIGKILL, SIGTERM or SIGINT. What it was to write must be whole, as before or as
after; the same command, started again, must succeed; then nothing else may be left: files, processes, devices, groups.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "workloads" / "recorder")]

from commands import COMMANDS, Command, not_live  # noqa: E402
from killing import host_state  # noqa: E402

from allocators.compiled import jit  # noqa: E402

SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
PATIENCE_S = 15.0  # in which all its processes must be gone
MARK = "CSWAP_CRASH"


class Place:
    """A folder for one try: `work` with what the command reads and writes, `cache`, `tmp`."""

    def __init__(self, folder: Path, command: Command) -> None:
        self.folder, self.command = folder, command
        self.work = folder / "work"
        for part in (self.work, folder / "cache", folder / "tmp"):
            part.mkdir(parents=True)
        self.mark = f"{MARK}={folder}"
        command.prepare(self.work)

    def start(self, words: list[str] | None = None) -> subprocess.Popen[str]:
        """Start the command, or other words."""
        given = [sys.executable, "-m", "sim", *(words or self.command.words)]
        own = {"XDG_CACHE_HOME": f"{self.folder}/cache", "TMPDIR": f"{self.folder}/tmp", MARK: str(self.folder)}
        own |= {"PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": jit._config.CACHE_DIR}  # what is compiled may be kept
        pipe = subprocess.PIPE
        return subprocess.Popen(given, cwd=self.work, env={**os.environ, **own}, stdout=pipe, stderr=pipe, text=True)

    def run(self, words: list[str] | None = None) -> str:
        """Run to the end; what was wrong, empty if nothing was."""
        process = self.start(words)
        _, said = process.communicate(timeout=300)
        name = " ".join((words or self.command.words)[:3])
        return f"{name}: exit {process.returncode}: {said[-300:]}" if process.returncode else ""

    def processes(self) -> list[int]:
        """All processes that were started here and are left."""
        found = []
        for name in filter(str.isdecimal, os.listdir("/proc")):
            with suppress(OSError):
                if self.mark.encode() in Path("/proc", name, "environ").read_bytes().split(b"\0"):
                    found.append(int(name))
        return sorted(found)

    def again(self) -> str:
        """Mend as a user would, and run the command once more; what was wrong."""
        wrong = next(filter(None, map(self.run, self.command.mend(self.work))), "")
        if self.command.new:
            shutil.rmtree(self.work / self.command.required, ignore_errors=True)
        wrong = wrong or self.run() or self.command.whole(self.work)
        there = (self.work / self.command.required).exists()
        return wrong or ("" if there else f"there is no {self.command.required}")

    def strangers(self) -> list[str]:
        """Files that nobody may leave: hidden ones, which are partial, and any temporary one."""
        left = [path for part in ("work", "cache") for path in (self.folder / part).rglob(".*")]
        return [str(path.relative_to(self.folder)) for path in (*left, *(self.folder / "tmp").iterdir())]


@contextmanager
def alone(command: Command) -> Iterator[None]:
    """What adds to the kernel takes turns with the tests that do."""
    with (Path(tempfile.gettempdir()) / "cswap-tests-alone.lock").open("w") as lock:
        if command.live:
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def once(
    folder: Path, command: Command, number: signal.Signals, draw: random.Random, seconds: float
) -> tuple[str, str]:
    """One kill; how it was done, and what was wrong."""
    place, before = Place(folder, command), host_state() if command.live else {}
    process = place.start()
    delay = draw.uniform(0.05, seconds)
    time.sleep(delay)
    started = place.processes()
    target = process.pid if draw.random() < 0.7 else draw.choice(started or [process.pid])
    who = "it" if target == process.pid else f"one of {len(started) - 1} children"
    with suppress(ProcessLookupError):
        os.kill(target, number)
    how = f"{number.name} to {who} after {delay:.2f} s"
    try:
        _, said = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.kill()
        return how, "did not end in 120 s"
    how += f", exit {process.returncode}"
    killed = process.returncode == -signal.SIGKILL  # then its children may say what they miss
    if ("Traceback" in said and not killed) or "fault in cswap" in said:
        return how, f"said {said[-400:]}"
    deadline = time.monotonic() + PATIENCE_S
    while (left := place.processes()) and time.monotonic() < deadline:
        time.sleep(0.1)
    if left:
        return how, f"processes left: {left}"
    if wrong := command.whole(place.work) or place.again():
        return how, wrong
    if strangers := place.strangers():
        return how, f"files left: {strangers}"
    after = host_state() if command.live else {}
    return how, "".join(f"{key}: {before[key]} became {after[key]}; " for key in before if after[key] != before[key])


def main() -> None:
    """Kill, print each try, exit with 1 if anything was wrong."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--kills", type=int, default=200, help="in all, shared among the commands")
    options.add_argument("--command", action="append", choices=list(COMMANDS), help="may be given several times")
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    names = [name for name in given.command or COMMANDS if not (COMMANDS[name].live and not_live())]
    for name in set(given.command or COMMANDS) - set(names):
        print(f"{name} is left out: {not_live()}", flush=True)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    draw, seconds, counts = random.Random(given.seed), dict[str, float](), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="cswap-crash-") as base:
        for name in names:  # how long it takes, with compiled kernels
            for turn in range(2):
                place, began = Place(Path(base, f"{name}-{turn}"), COMMANDS[name]), time.monotonic()
                if wrong := place.again():
                    sys.exit(f"{name} fails before anything is killed: {wrong}")
                seconds[name] = time.monotonic() - began
        for i in range(given.kills):
            name = names[i % len(names)]
            folder = Path(base, str(i))
            with alone(COMMANDS[name]):
                how, wrong = once(folder, COMMANDS[name], draw.choice(SIGNALS), draw, seconds[name])
            print(f"{i + 1:4} {name:14} {how:55} {wrong or 'well'}", flush=True)
            counts["wrong" if wrong else "well"] += 1
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{counts['well']} of {given.kills} kills left nothing behind and lost nothing")
    sys.exit(bool(counts["wrong"]))


if __name__ == "__main__":
    main()
