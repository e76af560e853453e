"""Arrays kept for the next run in the user's cache, and trusted only if this user kept them.

A file holds a keyed digest (blake2b, with a secret of 32 random bytes that never leaves the cache) and the arrays. The
digest is over the fields that say what the arrays are of, and over all bytes of the arrays; it is compared before
anything is parsed. What somebody else wrote, what was damaged and what belongs to other fields is as if it were not
there. A file is named by a digest of its fields, so no text of a trace becomes a path; folders are 0700, files 0600.
Files are replaced whole; what a kill left half-written goes with the next one that is kept.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import io
import json
import os
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from allocators.user_cache import cache_folder, not_kept

Fields = Mapping[str, str | int]
Arrays = dict[str, NDArray[Any]]

FOLDER = "sizes"
WORDS = {"runs": "finished runs"}  # what is in a folder of the cache, other than its name says
SECRET = "secret"
PART = ".part"
DIGEST = 32  # bytes, of a digest and of the secret
DAY_S = 86_400


def recall(fields: Fields, name: str = FOLDER) -> Arrays | None:
    """The arrays kept under these fields in the folder `name` of the cache; None unless there are trusted ones."""
    try:
        folder = cache_folder(name)
        secret = _secret(folder)
        data = (folder / _name(fields)).read_bytes()
    except OSError:
        return None
    if not hmac.compare_digest(data[:DIGEST], _digest(fields, data[DIGEST:], secret)):
        return None
    with np.load(io.BytesIO(data[DIGEST:]), allow_pickle=False) as arrays:
        return dict(arrays)


def keep(fields: Fields, arrays: Arrays, name: str = FOLDER) -> None:
    """Keep arrays under these fields; if that fails, report it on stderr and go on."""
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **arrays)
    data = stream.getvalue()
    try:
        folder = cache_folder(name)
        _sweep(folder)
        _write(folder / _name(fields), _digest(fields, data, _secret(folder)) + data)
    except OSError as error:
        not_kept(f"{WORDS.get(name, name)} are", error)


def is_kept(fields: Fields, name: str = FOLDER) -> bool:
    """Whether something is kept under these fields."""
    with suppress(OSError):
        return (cache_folder(name) / _name(fields)).is_file()
    return False


def forget(fields: Fields, name: str = FOLDER) -> None:
    """Remove what is kept under these fields."""
    with suppress(OSError):
        (cache_folder(name) / _name(fields)).unlink()


def expire(name: str, days: float) -> None:
    """Remove what was kept in a folder of the cache so many days ago or earlier."""
    with suppress(OSError):
        folder = cache_folder(name)
        _sweep(folder)
        for path in folder.iterdir():
            if path.name != SECRET and time.time() - path.stat().st_mtime > days * DAY_S:
                path.unlink()


def _name(fields: Fields) -> str:
    return hashlib.blake2b(_text(fields), digest_size=16).hexdigest()


def _text(fields: Fields) -> bytes:
    return json.dumps(dict(fields), sort_keys=True).encode()


def _digest(fields: Fields, data: bytes, secret: bytes) -> bytes:
    hasher = hashlib.blake2b(_text(fields) + b"\0", key=secret, digest_size=DIGEST)
    hasher.update(data)
    return hasher.digest()


def _secret(folder: Path) -> bytes:
    """The secret; made by the first process that asks, and anew if it was damaged."""
    handle = os.open(folder / SECRET, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with open(handle, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        secret = file.read()
        if len(secret) != DIGEST:
            secret = secrets.token_bytes(DIGEST)
            file.seek(0)
            file.truncate()
            file.write(secret)
    return secret


def _write(path: Path, data: bytes) -> None:
    """Replace a file whole, mode 0600; its temporary file is locked for as long as somebody writes to it."""
    with _part(path.parent) as (file, part):
        file.write(data)
        file.flush()
        os.replace(part, path)


@contextmanager
def _part(folder: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """A new temporary file, locked; one that another process took for a dead one's before the lock is let go."""
    while True:
        handle, name = tempfile.mkstemp(PART, dir=folder)
        part = Path(name)
        try:
            with open(handle, "wb") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if part.exists():
                    yield file, part
                    return
        finally:
            part.unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    """Remove temporary files that nobody is writing any more."""
    for part in folder.glob(f"*{PART}"):
        with suppress(OSError), part.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink()
