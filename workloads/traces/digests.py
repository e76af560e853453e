"""Digests: of texts, files, and columns of events as they pass."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np

from workloads.files import open_regular
from workloads.traces.behind import Behind
from workloads.traces.events import Events

DIGEST_BYTES = 16


def digest_text(text: str) -> str:
    """Return the digest of a text in hex."""
    return hashlib.blake2b(text.encode(), digest_size=DIGEST_BYTES).hexdigest()


def digest_file(path: Path) -> str:
    """Return the digest of a file's bytes in hex. Raises OSError, and TraceError when it is not a regular file."""
    path.lstat()  # says by itself that there is none
    hasher = hashlib.blake2b(digest_size=DIGEST_BYTES)
    with os.fdopen(open_regular(path), "rb") as file:
        while block := file.read(1 << 20):
            hasher.update(block)
    return hasher.hexdigest()


class EventsDigest:
    """The digest of all columns of events added so far; the same for any cutting into batches."""

    def __init__(self) -> None:
        self._hashes: dict[str, hashlib.blake2b] = {}

    def add(self, events: Events) -> None:
        """Hash a batch."""
        for name, column in events.columns().items():
            hasher = self._hashes.setdefault(name, hashlib.blake2b(digest_size=DIGEST_BYTES))
            hasher.update(np.ascontiguousarray(column, column.dtype.newbyteorder("<")).data)

    def hexdigest(self) -> str:
        """Return the digest in hex."""
        return digest_text(" ".join(f"{name}={self._hashes[name].hexdigest()}" for name in sorted(self._hashes)))


class DigestBehind:
    """Adds batches to a digest in a thread of its own, while their reader goes on: hashing needs no GIL."""

    def __init__(self) -> None:
        self._digest = EventsDigest()
        self._behind = Behind("digest")

    def add(self, events: Events) -> None:
        """Begin to hash a batch."""
        self._behind.do(self._digest.add, events)

    def hexdigest(self) -> str:
        """Wait for what is under way, and return the digest in hex."""
        self._behind.wait()
        return self._digest.hexdigest()

    def close(self) -> None:
        """End the thread."""
        self._behind.close()
