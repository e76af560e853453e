"""Records through a pipe: the reader is a process of its own, so that nothing else keeps it waiting."""

from __future__ import annotations

import struct
from typing import IO

import numpy as np

from workloads.recorder.records import DTYPES, Records

HEAD = struct.Struct("<QQqQ")  # records, pages of contents, until_ns, ring buffer pages that missed events


def send(records: Records, missed: int, out: IO[bytes]) -> None:
    """Write a batch."""
    out.write(HEAD.pack(len(records), len(records.content), records.until_ns, missed))
    for name in DTYPES:
        out.write(getattr(records, name).data)
    out.write(np.ascontiguousarray(records.content).data)
    out.flush()


def receive(source: IO[bytes], page_size: int) -> tuple[Records, int] | None:
    """Read a batch and how many ring buffer pages had missed events by then; None when the sender has ended."""
    head = source.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    n, pages, until_ns, missed = HEAD.unpack(head)
    columns = {}
    for name, dtype in DTYPES.items():
        data = source.read(n * dtype.itemsize)
        if len(data) < n * dtype.itemsize:
            return None
        columns[name] = np.frombuffer(data, dtype)
    data = source.read(pages * page_size)
    if len(data) < pages * page_size:
        return None
    content = np.frombuffer(data, np.uint8).reshape(pages, page_size)
    return Records(**columns, content=content, until_ns=until_ns), missed
