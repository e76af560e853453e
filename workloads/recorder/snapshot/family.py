"""The processes of a command: all it has started, also those whose parents have ended.

Source: proc_pid_stat(5); prctl(2), PR_SET_CHILD_SUBREAPER.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from workloads.host.processes import adopt_orphans


class Family:
    """Make it before the command is started."""

    def __init__(self) -> None:
        adopt_orphans()
        self._strangers = set(_children().get(os.getpid(), []))

    def members(self) -> list[int]:
        """The processes that run now, ascending."""
        children = _children()
        found: list[int] = []
        waiting = [pid for pid in children.get(os.getpid(), []) if pid not in self._strangers]
        while waiting:
            found += waiting
            waiting = [child for pid in waiting for child in children.get(pid, [])]
        return sorted(found)

    def kill(self) -> None:
        """End them all, and those they start meanwhile; who has become somebody else, as sudo does, stays."""
        others: set[int] = set()
        while members := set(self.members()) - others:
            for pid in members:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                except PermissionError:
                    others.add(pid)
            time.sleep(0.005)


def _children() -> dict[int, list[int]]:
    """The children of each process, ended ones left out."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with suppress(OSError):
                state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
                if state not in "XZ":
                    children.setdefault(int(parent), []).append(int(folder.name))
    return children
