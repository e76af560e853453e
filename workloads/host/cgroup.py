"""A memory cgroup of our own, of either version, in which one program runs under a limit.

Source: Documentation/admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst (6.18).
"""

from __future__ import annotations

import errno
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workloads.errors import HostError
from workloads.host.identity import of_folder
from workloads.host.registry import noted

MOUNTS = Path("/proc/self/mounts")
PATIENCE_S = 10.0
RELIEF = 1 << 20  # bytes


class MemoryCgroup:
    """The folder of a cgroup. `version` 1 or 2."""

    def __init__(self, path: Path, version: int) -> None:
        self.path, self.version = path, version
        self.relieved = 0  # how often
        self._moving = threading.Lock()  # the limit
        self._limit = self._above = 0  # bytes: of version 1, and how much more is given for a while

    def limit(self, size: int) -> None:
        """Hold the program to `size` bytes of memory; anonymous pages are as good to reclaim as cached files.

        Nothing is killed for want of memory: version 1 stops the program when reclaim finds nothing at once, until
        somebody calls `relieve`; memory.high of version 2 slows it down.
        """
        if self.version == 1:
            self._set("memory.swappiness", 100)
            self._set("memory.limit_in_bytes", size)
            self._set("memory.oom_control", 1)
            self._limit = size
        else:
            self._set("memory.high", size)

    def move(self, size: int) -> bool:
        """Change the limit to `size` bytes; whether it was possible: else it is as before, and may be tried again.

        What does not fit is reclaimed at once, in the thread that calls. memory.max of version 2 stays: below what
        cannot be reclaimed, the kernel would kill for it.
        """
        with self._moving:
            try:
                if self.version == 1:
                    self._set("memory.limit_in_bytes", size + self._above)
                    self._limit = size
                else:
                    self._set("memory.high", size)
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                return False
        return True

    def relieve(self) -> None:
        """Give a program that is stopped for want of memory a little more, until it has got over it. Call it often."""
        if not self._limit or not self._moving.acquire(blocking=False):
            return
        try:
            self._relieve()
        finally:
            self._moving.release()

    def _relieve(self) -> None:
        if "under_oom 1" in (self.path / "memory.oom_control").read_text():
            self.relieved += 1
            self._above += RELIEF
        elif self._above:
            self._above = 0
        else:
            return
        with suppress(OSError):  # busy: not all that is above the limit can be reclaimed now
            self._set("memory.limit_in_bytes", self._limit + self._above)
            return
        self._above = RELIEF

    def add(self, pid: int) -> None:
        """Put a process inside; what it forks stays inside."""
        self._set("cgroup.procs", pid)

    def tasks(self) -> list[int]:
        """The processes inside, also in cgroups that the program has made below."""
        found: list[int] = []
        for folder in self._folders():
            with suppress(OSError):  # gone, or threaded
                found += map(int, (folder / "cgroup.procs").read_text().split())
        return found

    def _folders(self) -> list[Path]:
        """The folders of the cgroup and of those below, which come first."""
        return [Path(folder) for folder, _, _ in os.walk(self.path, topdown=False)]

    def peak(self) -> int:
        """The most bytes it ever held, cached files included."""
        name = "memory.max_usage_in_bytes" if self.version == 1 else "memory.peak"
        try:
            return int((self.path / name).read_text())
        except FileNotFoundError as error:
            raise HostError(f"{self.path}: has no {name}; give --limit instead of --fraction") from error

    def stat(self) -> dict[str, int]:
        """memory.stat."""
        return {key: int(value) for key, value in map(str.split, (self.path / "memory.stat").open())}

    def swapped(self) -> int:
        """Bytes of the cgroup that lie in swap now, pages of zeros included."""
        return self.stat()["swap"] if self.version == 1 else int((self.path / "memory.swap.current").read_text())

    def freeze(self) -> None:
        """Stop all tasks, however fast they fork."""
        if self.version == 2:
            self._set("cgroup.freeze", 1)
            self._wait(lambda: "frozen 1" in (self.path / "cgroup.events").read_text())
        else:
            self._wait(self._all_stopped)

    def thaw(self) -> None:
        """Let all tasks go on."""
        if self.version == 2:
            self._set("cgroup.freeze", 0)
            return
        for pid in self.tasks():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def _all_stopped(self) -> bool:
        self.relieve()  # who waits for memory does not stop
        return not [pid for pid in self.tasks() if not _stopped(pid)]

    def kill(self) -> None:
        """End all tasks at once, frozen ones too, and wait for them."""
        end = time.monotonic() + PATIENCE_S
        while tasks := self.tasks():
            for pid in tasks:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if self.version == 2:
                self._set("cgroup.freeze", 0)
            if time.monotonic() > end:
                raise HostError(f"{self.path}: tasks {tasks} cannot be killed; end them, then `rmdir {self.path}`")
            time.sleep(0.005)

    def remove(self) -> None:
        """Kill what is inside and remove the folder; nothing when it is gone."""
        if not self.path.is_dir():
            return
        self.kill()
        self._wait(self._gone)

    def _gone(self) -> bool:
        for folder in self._folders():
            try:
                folder.rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                return False
        return True

    def _set(self, name: str, value: int) -> None:
        (self.path / name).write_text(str(value))

    def _wait(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not done():
            if time.monotonic() > end:
                raise HostError(f"{self.path}: the cgroup stayed busy for {PATIENCE_S:.0f} s; look at its tasks")
            time.sleep(0.002)


def _stopped(pid: int) -> bool:
    """Send SIGSTOP, and say whether it has taken effect; a task that is gone is stopped."""
    try:
        os.kill(pid, signal.SIGSTOP)
        states = [(folder / "stat").read_text().rpartition(")")[2].split()[0] for folder in _threads(pid)]
    except (ProcessLookupError, FileNotFoundError):
        return True
    return all(state in "TtXZ" for state in states)


def _threads(pid: int) -> list[Path]:
    return list(Path(f"/proc/{pid}/task").iterdir())


def memory_hierarchy() -> tuple[Path, int]:
    """The folder below which a memory cgroup can be made, and its version. Raises HostError."""
    unified: Path | None = None
    for line in MOUNTS.read_text().splitlines():
        _, place, kind, options = line.split()[:4]
        if kind == "cgroup" and "memory" in options.split(","):
            return Path(place), 1
        if kind == "cgroup2":
            unified = unified or Path(place)
    if unified and "memory" in (unified / "cgroup.subtree_control").read_text().split():
        return unified, 2
    raise HostError("no memory cgroup can be created: the controller is in neither a v1 nor the unified hierarchy")


def require_cgroup() -> None:
    """Raise HostError unless this process can make a memory cgroup."""
    place, _ = memory_hierarchy()
    if not os.access(place, os.W_OK):
        raise HostError(f"creating a memory cgroup needs root and a writable {place}")


@contextmanager
def memory_cgroup(name: str) -> Iterator[MemoryCgroup]:
    """Make a cgroup, and remove it with all that is inside whatever happens. Raises HostError."""
    place, version = memory_hierarchy()
    cgroup = MemoryCgroup(place / name, version)
    with noted("cgroup", str(cgroup.path), cgroup.remove) as made:
        cgroup.path.mkdir()
        made(of_folder(cgroup.path))
        yield cgroup
