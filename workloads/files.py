"""Opens the files of a trace only if they are regular files, not links, pipes, devices or folders."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from workloads.errors import TraceError

REMEDY = "restore the file from a good copy"


def open_regular(path: Path, remedy: str = REMEDY, *, follow: bool = False) -> int:
    """Open a regular file for reading; its descriptor. A symbolic link is one only where links are to be followed.

    Raises TraceError when it is missing, something else, or cannot be read; nothing else is ever opened.
    """
    try:
        _check_regular(path, path.stat() if follow else path.lstat(), remedy)
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise TraceError.at(path, "file", "is missing", remedy) from error
    except TraceError:
        raise
    except (OSError, ValueError) as error:
        text = getattr(error, "strerror", None) or error
        raise TraceError.at(path, "file", f"cannot be read ({text})", remedy) from error
    try:
        _check_regular(path, os.fstat(fd), remedy)  # it may have been replaced meanwhile
    except TraceError:
        os.close(fd)
        raise
    return fd


def _check_regular(path: Path, found: os.stat_result, remedy: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        what = _KINDS.get(stat.S_IFMT(found.st_mode), "no file")
        raise TraceError.at(path, "file", f"is {what}, not a regular file", remedy)


_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def arrow_file(path: Path, remedy: str = REMEDY, *, follow: bool = False) -> Any:
    """Open a regular file for pyarrow. Raises TraceError as `open_regular` does."""
    import pyarrow as pa

    fd = open_regular(path, remedy, follow=follow)
    try:
        return pa.OSFile(f"/dev/fd/{fd}")  # the very file that was looked at
    finally:
        os.close(fd)


def read_regular(path: Path, most: int, remedy: str = REMEDY, *, follow: bool = False) -> bytes:
    """Read a regular file of at most `most` bytes. Raises TraceError as `open_regular` does, and for a longer one."""
    with os.fdopen(open_regular(path, remedy, follow=follow), "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise TraceError.at(path, "file", f"is longer than {most:,} bytes", remedy)
    return data
