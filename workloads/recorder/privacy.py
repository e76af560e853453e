"""A trace that holds memory is private: only the user who asked for it can read it.

The recorder runs as root, in a folder that may be the user's. Whoever can rename what lies there can make a path lead
anywhere while root follows it. So there it works with the user's own rights: what it makes is the user's at once, and
no path leads farther than the user may go. Only where nobody but root can change the path does it work as root.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from workloads.errors import HostError
from workloads.permissions import PRIVATE, withholding
from workloads.recorder.program import User

_libc = ctypes.CDLL(None)


def private() -> AbstractContextManager[int]:
    """What is written meanwhile is its owner's alone; gives the umask that is in force otherwise."""
    return withholding(PRIVATE)


class Keeper:
    """Writes into one folder, for a user, or for the one who runs this process if that is None."""

    def __init__(self, folder: Path, user: User | None) -> None:
        self._user = user
        self._apart = user is not None and not roots_alone(folder)

    def rights(self) -> AbstractContextManager[None]:
        """The rights with which the folder is entered, in this thread."""
        return _file_rights(self._user) if self._user and self._apart else nullcontext()

    def hand_over(self, trace: Path) -> None:
        """Make a trace the user's, with all that is in it, unless it is already."""
        if self._user and not self._apart:
            hand_over(trace, self._user)


def roots_alone(folder: Path) -> bool:
    """Whether nobody but root can change what the path leads to, or what lies there."""
    folder = folder.absolute()
    if folder != folder.resolve():
        return False
    for place in (folder, *folder.parents):
        about = place.lstat()
        others = about.st_mode & (stat.S_IWOTH | (stat.S_IWGRP if about.st_gid else 0))
        kept = place != folder and about.st_mode & stat.S_ISVTX  # what is root's there, others cannot rename
        if about.st_uid or (others and not kept):
            return False
    return True


def hand_over(trace: Path, user: User) -> None:
    """Make the folder the user's, and what is in it first; links are not followed, nor is a path after the first."""
    for _, folders, files, fd in os.fwalk(trace, topdown=False, follow_symlinks=False):
        for name in (*files, *folders):
            os.chown(name, user.uid, user.gid, dir_fd=fd, follow_symlinks=False)
    os.chown(trace, user.uid, user.gid, follow_symlinks=False)


@contextmanager
def _file_rights(user: User) -> Iterator[None]:
    """Open, make, rename and remove files as the user, in this thread only: setfsuid(2). Raises HostError."""
    before = os.geteuid(), os.getegid()
    _libc.setfsgid(user.gid)
    _libc.setfsuid(user.uid)
    try:
        if (_libc.setfsuid(-1), _libc.setfsgid(-1)) != (user.uid, user.gid):
            raise HostError(f"{user.name}: root may not write files as this user; run without sudo, as root")
        yield
    finally:
        _libc.setfsuid(before[0])
        _libc.setfsgid(before[1])
