"""Permissions of what is written: a copy of contents is as private as its source."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PRIVATE = 0o077  # what is withheld from all but the owner
CLASSES = (0o070, 0o007)


def withheld(*paths: Path) -> int:
    """The permissions, as in a umask, of those classes of users who cannot read all of these files and folders."""
    bits = 0
    for path in paths:
        try:
            mode = path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            continue
        needed = 0o055 if stat.S_ISDIR(mode) else 0o044
        bits |= sum(users for users in CLASSES if ~mode & needed & users)
    return bits


@contextmanager
def withholding(bits: int) -> Iterator[int]:
    """Files and folders that are made meanwhile have none of these permissions; gives the umask that is in force
    otherwise.
    """
    before = os.umask(PRIVATE)
    os.umask(before | bits)
    try:
        yield before
    finally:
        os.umask(before)
