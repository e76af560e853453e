"""The index of unique pages: equal contents share one number."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.traces.digests import DIGEST_BYTES
from workloads.traces.events import OUT, Events

FIRST = 1 << 12  # digests that there is room for at first


class PageIndex:
    """Numbers pages by content in order of first appearance; keeps their digests, never the pages.

    24 to 48 bytes of memory a unique page: digests by number, and a hash table of numbers, open addressing.
    """

    def __init__(self) -> None:
        self._count = 0
        self._digests = np.empty((FIRST, 2), np.uint64)
        self._table = np.full(2 * FIRST, -1, np.int32)
        self._hash = hashlib.blake2b(digest_size=DIGEST_BYTES)

    def __len__(self) -> int:
        return self._count

    def add(self, pages: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Add uint8[n, page_size]; return the number of each page, int32[n], and the rows that are new."""
        keys = [hashlib.blake2b(page, digest_size=DIGEST_BYTES).digest() for page in np.ascontiguousarray(pages)]
        first: dict[bytes, int] = {}
        which = np.array([first.setdefault(key, len(first)) for key in keys], np.int64)
        digests = np.frombuffer(b"".join(first), np.uint64).reshape(-1, 2)
        numbers = self._known(digests)
        new = np.flatnonzero(numbers < 0)
        numbers[new] = np.arange(self._count, self._count + len(new))
        self._insert(digests[new])
        self._hash.update(digests[new].tobytes())
        rows = np.full(len(first), -1, np.int64)
        rows[which[::-1]] = np.arange(len(which))[::-1]  # of each digest the first
        return numbers[which], rows[new]

    def _known(self, digests: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
        """The number of each digest, -1 of one that is new."""
        numbers = np.full(len(digests), -1, np.int32)
        place = self._places(digests)
        waiting = np.arange(len(digests))
        while len(waiting):
            found = self._table[place]
            equal = (found >= 0) & (self._digests[found] == digests[waiting]).all(axis=1)
            numbers[waiting[equal]] = found[equal]
            other = (found >= 0) & ~equal
            waiting, place = waiting[other], (place[other] + 1) % len(self._table)
        return numbers

    def _insert(self, digests: npt.NDArray[np.uint64]) -> None:
        """Add digests that are new and distinct, under the next numbers."""
        start, self._count = self._count, self._count + len(digests)
        while self._count > len(self._digests):
            self._digests = np.concatenate([self._digests, np.empty_like(self._digests)])
        self._digests[start : self._count] = digests
        if 2 * self._count > len(self._table):
            start, self._table = 0, np.full(2 * len(self._digests), -1, np.int32)
        numbers = np.arange(start, self._count, dtype=np.int32)
        place = self._places(self._digests[start : self._count])
        while len(numbers):
            free = self._table[place] < 0
            self._table[place[free]] = numbers[free]  # of several in one place, one stays
            lost = self._table[place] != numbers
            numbers, place = numbers[lost], (place[lost] + 1) % len(self._table)

    def _places(self, digests: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Where a search in the table begins: digests are as good as random."""
        return (digests[:, 0] % np.uint64(len(self._table))).astype(np.int64)

    def digest(self) -> str:
        """Return the digest of all unique pages so far, in their order, in hex."""
        return self._hash.hexdigest()


def renumbered(events: Events, numbers: npt.NDArray[np.int32]) -> Events:
    """Let page-outs of the i-th page given point at unique page `numbers[i]`.

    A page that was never given keeps its number, which is too high for the unique pages as well: the
    tally refuses it and names its row.
    """
    known = (events.kind == OUT) & (events.page >= 0) & (events.page < len(numbers))
    page = events.page.copy()
    page[known] = numbers[events.page[known]]
    return replace(events, page=page)


def check_pages(file: object, pages: npt.NDArray[np.uint8], page_size: int) -> None:
    """Raise TraceError unless pages are uint8[n, page_size]."""
    if pages.dtype != np.uint8 or pages.ndim != 2 or pages.shape[1] != page_size:
        found = f"{pages.dtype}{list(pages.shape)}"
        raise TraceError.at(file, "pages", f"are {found}", f"give uint8[n, {page_size}]")
