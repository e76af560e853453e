"""What a reader makes of a file, for the tests of readers of contents."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from workloads import TraceError
from workloads.progress import silent
from workloads.readers.base import Reader
from workloads.readers.input import Head, Input

GOLDEN = Path(__file__).parents[1] / "golden" / "readers"


class Read(NamedTuple):
    """All that was yielded before `error`."""

    slot: npt.NDArray[np.uint64]
    pages: npt.NDArray[np.uint8]
    task: npt.NDArray[np.int32] | None
    kind: npt.NDArray[np.uint8]
    facts: dict[str, Any]
    error: str


def read(reader: Reader, path: Path, page_size: int = 4096) -> Read:
    facts: dict[str, Any] = {}
    batches, error = [], ""
    try:
        for batch in reader.read(Input(path, page_size, silent), facts):
            batches.append(batch)
    except TraceError as caught:
        error = str(caught)
        assert "\n" not in error
    none = np.empty((0, page_size), np.uint8)
    tasks = [batch.task for batch in batches if batch.task is not None]
    return Read(
        np.concatenate([np.empty(0, np.uint64), *(batch.slot for batch in batches)]),
        np.concatenate([none, *(batch.pages for batch in batches if batch.pages is not None)]),
        np.concatenate(tasks) if tasks else None,
        np.concatenate([np.empty(0, np.uint8), *(batch.kind for batch in batches)]),
        facts,
        error,
    )


def sniffed(reader: type[Reader], path: Path) -> bool:
    return reader.sniff(Head.of(path))


def text(number: int, size: int = 4096) -> bytes:
    return (b"page %d of a fixture; " % number * size)[:size]
