"""A trace that holds memory is private: only the user who asked for it can read it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workloads.recorder.program import User

PRIVATE = 0o077  # umask


@contextmanager
def private() -> Iterator[int]:
    """What is written meanwhile is its owner's alone; gives the umask that is in force otherwise."""
    before = os.umask(PRIVATE)
    try:
        yield before
    finally:
        os.umask(before)


def hand_over(trace: Path, user: User | None) -> None:
    """Make the folder the user's, if there is one, and what is in it first; links are not followed."""
    if user:
        for path in (*trace.rglob("*"), trace):
            os.chown(path, user.uid, user.gid, follow_symlinks=False)
