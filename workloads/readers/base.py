"""The contract of every reader: a file from elsewhere as a stream of batches of events."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from workloads.readers.input import Head, Input
from workloads.traces.events import OUT

Facts = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Batch:
    """Some events of a foreign file, in its order: n of them, m of which are page-outs.

    `kind` uint8[n], as in `workloads.traces.events`; `slot` uint64[n], whatever the file calls it; `time_ns` int64[n]
    and `task` int32[n] if the file tells them. Of the page-outs, in their order, what the file has: `pages`
    uint8[m, page_size]; or `page` int64[m], the number of each in a file of pages that is given beside this one, -1 for
    the zero-filled page; or `size` int32[m], bytes after compression, where `zero` bool[m] tells zero-filled ones.
    None of them if it says nothing of contents. All batches of a file have the same columns.
    """

    kind: npt.NDArray[np.uint8]
    slot: npt.NDArray[np.uint64]
    time_ns: npt.NDArray[np.int64] | None = None
    task: npt.NDArray[np.int32] | None = None
    pages: npt.NDArray[np.uint8] | None = None
    page: npt.NDArray[np.int64] | None = None
    size: npt.NDArray[np.int32] | None = None
    zero: npt.NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.kind)

    def where(self, mask: npt.NDArray[np.bool_]) -> Batch:
        """Select rows; of a batch whose page-outs have no contents."""
        time_ns = None if self.time_ns is None else self.time_ns[mask]
        task = None if self.task is None else self.task[mask]
        return Batch(self.kind[mask], self.slot[mask], time_ns, task)

    @classmethod
    def dump(cls, pages: npt.NDArray[np.uint8], slot: npt.NDArray[np.uint64]) -> Batch:
        """Pages that are paged out in their order."""
        return cls(np.full(len(pages), OUT, np.uint8), slot, pages=pages)


class Reader(ABC):
    """A format. What it needs besides the file are its constructor's arguments, JSON-safe and with defaults.

    `title` says in a few words what such a file is. `references` says that the reads and writes of such a file are
    those of a program in its memory, not of a swap device: they need reclaim to become page-outs and page-ins.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    references: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def sniff(cls, head: Head) -> bool:
        """Whether a file that begins so has this format, as far as its beginning tells; never raises."""

    @abstractmethod
    def read(self, file: Input, facts: Facts) -> Iterator[Batch]:
        """Yield all events of a file in their order.

        What it finds out besides, and what it cannot know, goes into `facts`, which become the source of the trace:
        short words as keys, JSON-safe. Raises TraceError naming file and place where the file is wrong or ends too
        early, after everything before that place was yielded.
        """
