"""Requests of a swap device with their compressed sizes, as SwapReplay takes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from workloads.readers.base import Batch, Facts, Reader
from workloads.readers.input import Head, Input
from workloads.readers.requests import INFERRED, SECTOR
from workloads.readers.table import Row, check, form, tables, whole
from workloads.traces.events import IN, OUT
from workloads.traces.sizes import largest

LINE = form(
    rb"[ \t]*(\d{1,20})(?:[ \t]*,[ \t]*|[ \t]+)([RW])(?:[ \t]*,[ \t]*|[ \t]+)(\d{1,20})|#[^\n]*|sector[ \t,][^\n]*"
)
COLUMNS = "a sector, R or W, a compressed size"
LOOKED = 64  # lines that the format is told by


class SwapReplay(Reader):
    """A sector of 512 bytes, R or W, and the bytes of the page after compression; each line is one page.

    A page written of size 0 is taken for a zero-filled one. No times.
    """

    name: ClassVar[str] = "swapreplay"
    title: ClassVar[str] = "requests with compressed sizes, of SwapReplay"

    @classmethod
    def sniff(cls, head: Head) -> bool:
        """By its lines."""
        matches = [LINE.fullmatch(line + b"\n") for line in head.lines[:LOOKED]]
        return all(match and not match[4] for match in matches) and any(match and match[1] for match in matches)

    def read(self, file: Input, facts: Facts) -> Iterator[Batch]:
        """See `Reader.read`."""
        facts["frees"] = INFERRED
        facts["zero_filled"] = "pages written of size 0"
        yield from tables(file, LINE, COLUMNS, lambda rows: _batch(rows, file.page_size))


def _batch(rows: list[Row], page_size: int) -> Batch:
    lines = [line for line, row in enumerate(rows) if row[0]]
    sector = whole("sector", lines, [rows[line][0] for line in lines], np.uint64)
    check(lines, sector >= 2**64 // SECTOR, lambda i: f"sector {sector[i]} is out of range")
    kind = np.array([OUT if rows[line][1] == b"W" else IN for line in lines], np.uint8)
    size = whole("size", lines, [rows[line][2] for line in lines], np.uint64)
    most, out = largest(page_size), kind == OUT
    check(lines, out & (size > most), lambda i: f"size {size[i]} is over {most}, what a page can become")
    size = size[out].astype(np.int32)
    slot = sector * np.uint64(SECTOR) // np.uint64(page_size)
    return Batch(kind, slot, size=np.maximum(size, 1), zero=size == 0)
