"""The index of unique pages: equal contents share one number."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.traces.digests import DIGEST_BYTES
from workloads.traces.events import OUT, Events


class PageIndex:
    """Numbers pages by content in order of first appearance; keeps their digests, never the pages.

    About 150 bytes of memory a unique page.
    """

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._hash = hashlib.blake2b(digest_size=DIGEST_BYTES)

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, pages: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Add uint8[n, page_size]; return the number of each page, int32[n], and the rows that are new."""
        numbers = np.empty(len(pages), np.int32)
        fresh = []
        for row, page in enumerate(np.ascontiguousarray(pages)):
            key = hashlib.blake2b(page, digest_size=DIGEST_BYTES).digest()
            number = self._numbers.get(key)
            if number is None:
                number = self._numbers[key] = len(self._numbers)
                self._hash.update(key)
                fresh.append(row)
            numbers[row] = number
        return numbers, np.array(fresh, np.int64)

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
