"""The user's cache: a folder of this user alone, and one line on stderr where nothing can be kept in it.

Its contents are trusted, compiled code among them: it is closed to others, and one that belongs to somebody
else is not used. As with pip, root does not use a cache in another user's folder (`sudo` with HOME kept).
A cache that is full or cannot be written costs time, not results.
"""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path

import platformdirs

EVERYTHING = "sizes, finished runs and compiled code are"

# The one byte in this pipe is taken by the first to speak, in whichever of the forked processes.
_word, _writing = os.pipe()
os.write(_writing, b"!")
os.close(_writing)


def cache_folder(name: str) -> Path:
    """The folder `name` of the user's cache, made if need be, mode 0700. Raises OSError when it cannot be used."""
    root = _root()
    if os.geteuid() == 0:
        above = next(folder for folder in root.parents if folder.exists())
        if above.stat().st_uid != 0:
            raise PermissionError(errno.EPERM, "belongs to another user than root", str(above))
    folder = root / name
    for part in (root, folder):
        try:
            part.mkdir(mode=0o700, parents=True, exist_ok=True)
        except FileNotFoundError as error:  # on a file system without folders of ours, such as /proc
            raise OSError(errno.ENOENT, "no folder can be made there", error.filename) from error
        if part.stat().st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, "belongs to another user", str(part))
        if part.stat().st_mode & 0o077:
            part.chmod(0o700)
    return folder


def _root() -> Path:
    try:
        root = Path(platformdirs.user_cache_dir("cswap"))
    except RuntimeError as error:  # neither HOME nor an account
        raise OSError(errno.ENOENT, "there is no home directory", "~/.cache") from error
    if not root.is_absolute():
        raise OSError(errno.EINVAL, "is not an absolute path", str(root))
    return root


def not_kept(what: str, error: Exception) -> None:
    """Report, once and in one line, that `what` (with its verb) is not kept, and why; without a cache, nothing is."""
    if not os.read(_word, 1):
        return
    why, remedy = str(error), "set XDG_CACHE_HOME to another folder"
    if isinstance(error, OSError) and error.strerror:
        place = str(error.filename or _root())
        why, remedy = f"{place}: {error.strerror}", "set XDG_CACHE_HOME to a folder that you can write to"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            remedy = "free space, or set XDG_CACHE_HOME to a folder that has room"
        elif _is_all(place):
            what = EVERYTHING
    text = f"cswap: {what} not kept: {why}; results are correct, but the next run takes as long; {remedy}"
    logging.getLogger("cswap").warning("%s", " ".join(text.split()))


def _is_all(place: str) -> bool:
    """Whether the whole cache is there."""
    try:
        return _root().is_relative_to(place)
    except OSError:  # there is no place for it
        return True
