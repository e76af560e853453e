"""The hidden folder in which a trace is written, `.NAME.PID-START.part`: its writer's alone, and gone when that is.

Whoever writes it holds a lock on it, which ends with the process however that ends. So the next who writes the same
trace can tell what a kill has left, and removes it.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

from workloads.errors import TraceError
from workloads.host.registry import own_name, started
from workloads.permissions import withholding

OPENED = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class PartFolder:
    """Made by `make`; then it either becomes the trace or is removed."""

    def __init__(self, trace: Path) -> None:
        """`trace` is what it is to become, a path beside it."""
        self._trace = trace
        self.path = trace.with_name(f".{trace.name}.{own_name()}.part")
        self._fd = -1
        with withholding(0) as self._umask:
            pass

    def make(self) -> None:
        """Make the folder, 0700, and remove what killed writers of the same trace have left. Raises TraceError."""
        try:
            self.path.mkdir(mode=0o700)
            self._fd = os.open(self.path, OPENED)
        except OSError as error:
            wrong = f"cannot be written ({error.strerror})"
            raise TraceError.at(self._trace.parent, "folder", wrong, "choose another place") from error
        with suppress(OSError):  # a file system without locks
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._remove_left()

    def new(self, name: str) -> Path:
        """The path of a new empty file, 0600 until the folder has become the trace."""
        path = self.path / name
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
        return path

    def withhold(self, bits: int) -> None:
        """Let nobody have these permissions of what it becomes, as in a umask."""
        self._umask |= bits

    def become(self, trace: Path) -> None:
        """Give everything the permissions that new files have for this process, and rename the folder."""
        for folder, _, files in os.walk(self.path, topdown=False):
            for name in files:
                os.chmod(Path(folder, name), 0o666 & ~self._umask)
            os.chmod(folder, 0o777 & ~self._umask)
        self.path.rename(trace)

    def remove(self) -> None:
        """Remove it if it is still there, and end the lock."""
        if self._fd >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._fd)
            self._fd = -1

    def _remove_left(self) -> None:
        form = re.compile(re.escape(f".{self._trace.name}.") + r"(\d+)(?:-(\d+))?\.part")
        for path in self._trace.parent.iterdir():
            found = form.fullmatch(path.name)
            if found and path != self.path and not _alive(int(found[1]), found[2]):
                with suppress(OSError):  # no folder, or in use by a process that is not seen from here
                    self._remove_unlocked(path)

    def _remove_unlocked(self, folder: Path) -> None:
        fd = os.open(folder, OPENED)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(fd).st_uid == os.fstat(self._fd).st_uid:
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(fd)


def _alive(pid: int, start: str | None) -> bool:
    """Whether the process still runs; one of unknown start, as of older releases, if any has that number."""
    now = started(pid)
    return now is not None and (start is None or now == int(start))
