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
        part.mkdir(mode=0o700, parents=True, exist_ok=True)
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


def not_kept(error: Exception) -> None:
    """Report that sizes and compiled code are not kept, and why; once, in one line."""
    if not os.read(_word, 1):
        return
    why = str(error)
    if isinstance(error, OSError) and error.strerror:
        why = f"{error.filename or _root()}: {error.strerror}"
    remedy = "results are correct, but the next run takes as long; set XDG_CACHE_HOME to a folder that has room"
    text = " ".join(f"cswap: sizes and compiled code are not kept: {why}; {remedy}".split())
    logging.getLogger("cswap").warning("%s", text)
