"""Raw records: what a backend saw of a swap device, before anybody knows whose it was or when a slot was freed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

# A page was written to the device, read from it; a slot was freed; a page of zeros went out or came in without
# reaching the device, because swap itself keeps it (since 6.12).
PAGE_OUT, PAGE_IN, SLOT_FREE, ZERO_OUT, ZERO_IN = 0, 1, 2, 3, 4

READ_AS_ZEROS = -2  # in place of a row of contents
UNKNOWN, FOREIGN, OURS = -1, 0, 1  # whose page it is: nobody can tell yet, not the cgroup's, the cgroup's
"""What backends count of what they did not see."""

DTYPES: dict[str, np.dtype[Any]] = {
    "kind": np.dtype(np.uint8),
    "slot": np.dtype(np.int64),
    "time_ns": np.dtype(np.int64),
    "pid": np.dtype(np.int32),
    "owner": np.dtype(np.int8),
    "page": np.dtype(np.int32),
}


@dataclass(frozen=True, eq=False)
class Records:
    """A batch of n records, ordered by time; batches follow each other in time as well.

    `kind` uint8[n]: PAGE_OUT, PAGE_IN, SLOT_FREE, ZERO_OUT, ZERO_IN. `slot` int64[n]: page offset on the device, one
    record a page (a large bio is many). `time_ns` int64[n]: CLOCK_MONOTONIC; of a page-out when its contents were on
    their way or there, of a page-in when it was asked for. `pid` int32[n]: the thread that was running, which
    for a page-out may be a kernel thread's. `owner` int8[n]: OURS, FOREIGN or UNKNOWN, of a page-out; the recorder
    settles what is UNKNOWN by pagemap, and does not look at the owner of other records. `page` int32[n]: the row of
    `content` that a PAGE_OUT wrote, or -1 when it is lost; -1 for all other kinds. READ_AS_ZEROS when zeros were read
    back, which are what was written unless the slot was free by then: the recorder finds out.

    `content` uint8[m, page size]: the pages that were caught, in the order of their records and exactly as they were
    written. A page that may be another
    write's, or may have been read after its slot was freed, is lost; it is never guessed.

    `until_ns`: every record of this time or before has been handed over. It moves on although nothing happens.
    """

    kind: npt.NDArray[np.uint8]
    slot: npt.NDArray[np.int64]
    time_ns: npt.NDArray[np.int64]
    pid: npt.NDArray[np.int32]
    owner: npt.NDArray[np.int8]
    page: npt.NDArray[np.int32]
    content: npt.NDArray[np.uint8]
    until_ns: int

    def __post_init__(self) -> None:
        for name, dtype in DTYPES.items():
            column = getattr(self, name)
            assert column.dtype == dtype, f"{name} is {column.dtype}, not {dtype}"
            assert column.shape == (len(self.kind),), f"{name} has {column.shape} rows, kind {len(self.kind)}"

    def __len__(self) -> int:
        return len(self.kind)

    @classmethod
    def none(cls, page_size: int, until_ns: int) -> Records:
        """A batch in which nothing happened."""
        columns = {name: np.empty(0, dtype) for name, dtype in DTYPES.items()}
        return cls(**columns, content=np.empty((0, page_size), np.uint8), until_ns=until_ns)

    def split(self, time_ns: int) -> tuple[Records, Records]:
        """The records up to and including that time, and those after it."""
        n = int(np.searchsorted(self.time_ns, time_ns, side="right"))
        pages = int(self.page[:n].max(initial=-1)) + 1
        first = {name: getattr(self, name)[:n] for name in DTYPES}
        rest = {name: getattr(self, name)[n:] for name in DTYPES}
        rest["page"] = np.where(rest["page"] < 0, rest["page"], rest["page"] - np.int32(pages))
        return (
            Records(**first, content=self.content[:pages], until_ns=min(time_ns, self.until_ns)),
            Records(**rest, content=self.content[pages:], until_ns=self.until_ns),
        )


def joined(batches: list[Records]) -> Records:
    """Some batches as one; at least one must be given."""
    starts = np.cumsum([0, *(len(batch.content) for batch in batches)])
    columns = {name: np.concatenate([getattr(batch, name) for batch in batches]) for name in DTYPES}
    columns["page"] = np.concatenate(
        [np.where(b.page < 0, b.page, b.page + np.int32(at)) for b, at in zip(batches, starts, strict=False)]
    )
    return Records(
        **columns, content=np.concatenate([batch.content for batch in batches]), until_ns=batches[-1].until_ns
    )
