"""Ariadne's traces of swap on Android phones: page-outs with contents, and page-ins.

Source: AppTrace of the repository of Ariadne (arXiv 2502.12826, HPCA 2025). A record of `swapout_trace.txt` is a header
of 50 bytes, `TEST^^^#UID,PFN,SECTOR#^^^` padded with `^` or bytes that are not printable, and the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.readers.base import Batch, Facts, Reader
from workloads.readers.image import WHOLE, zeros
from workloads.readers.input import Head, Input
from workloads.traces.events import IN

OUTS = "swapout_trace.txt"
INS = {"all": "swapin_trace.txt", "initial": "ttid_swapin_trace.txt", "full": "ttfd_swapin_trace.txt"}
HEADER, PAGE, SECTORS = 50, 4096, 8  # bytes of a header, of a page; sectors of a page
RECORD = HEADER + PAGE
PADDING = bytes(sorted({*range(256)} - {*range(32, 127)} | {ord("^")}))
FIELDS = re.compile(rb"\s*(?:TEST)?#?(\d{1,10}),\d{1,20},(\d{1,19})#?\s*")
WORD = re.compile(rb"(\d{1,10}),(\d{1,19})")
MEND = "give a file that is not damaged"

Numbers = npt.NDArray[np.uint64]
Tasks = npt.NDArray[np.int32]


class Ariadne(Reader):
    """A folder of such files, or one of them. The task is the user's number, which tells the application.

    `page_ins` are those of a folder that follow its page-outs: `all`, or those until the `initial` or `full` display.
    """

    name: ClassVar[str] = "ariadne"
    title: ClassVar[str] = "Ariadne's Android traces"

    def __init__(self, page_ins: str = "all") -> None:
        if page_ins not in INS:
            raise ValueError(f"page_ins={page_ins!r} is none of {', '.join(INS)}")
        self.page_ins = page_ins

    @classmethod
    def sniff(cls, head: Head) -> bool:
        """See `Reader.sniff`."""
        if head.names:
            return OUTS in head.names
        if _fields(head.data[:HEADER]):
            return len(head.data) > HEADER
        return head.name in INS.values() and bool(head.lines) and all(_word(line) for line in head.lines[:9] if line)

    def read(self, file: Input, facts: Facts) -> Iterator[Batch]:
        """See `Reader.read`."""
        if file.page_size != PAGE:
            raise TraceError.at(file.path, "page size", f"is {file.page_size}, not {PAGE}", f"give --page-size {PAGE}")
        facts["times"] = "none, and no common clock"
        if not file.path.is_dir():
            first = next(file.blocks(HEADER), b"")
            yield from _outs(file, facts) if _word(first.partition(b"\n")[0]) is None else _ins(file)
            return
        outs, ins = file.other(OUTS), file.other(INS[self.page_ins])
        if not outs.path.exists() and not ins.path.exists():
            raise TraceError.at(file.path, "folder", f"has neither {OUTS} nor {ins.path.name}", "give one that has")
        facts["order"] = "that of each file: first all page-outs, then all page-ins"
        if outs.path.exists():
            yield from _outs(outs, facts)
        if ins.path.exists():
            facts["page-ins"] = ins.path.name
            yield from _ins(ins)


def _outs(file: Input, facts: Facts) -> Iterator[Batch]:
    """All records, a few MiB at a time."""
    number = 0
    facts["zero pages"] = 0
    for block in file.blocks(RECORD * 1024):
        whole = len(block) // RECORD
        records = np.frombuffer(block, np.uint8, whole * RECORD).reshape(whole, RECORD)
        task, slot, good = np.empty(whole, np.int32), np.empty(whole, np.uint64), 0
        while good < whole and (found := _fields(records[good, :HEADER].tobytes())):
            task[good], slot[good] = found
            good += 1
        if good:
            pages = np.ascontiguousarray(records[:good, HEADER:])
            facts["zero pages"] += zeros(pages)
            yield Batch(np.zeros(good, np.uint8), slot[:good], task=task[:good], pages=pages)
        if good < whole:
            place = f"record {number + good}"
            raise TraceError.at(file.path, place, "has no header TEST^^^#UID,PFN,SECTOR#^^^ of a page", MEND)
        number += whole
        if rest := len(block) % RECORD:
            raise TraceError.at(file.path, f"record {number}", f"has {rest} of {RECORD} bytes", WHOLE)


def _ins(file: Input) -> Iterator[Batch]:
    none = np.empty((0, PAGE), np.uint8)
    for first, block in file.lines():
        found: list[tuple[int, int]] = []
        for number, line in enumerate(block.splitlines(), first):
            if not line.strip():
                continue
            word = _word(line)
            if word is None:
                yield _read(found, none)
                raise TraceError.at(file.path, f"line {number}", "does not end in UID,SECTOR of a page", MEND)
            found.append(word)
        yield _read(found, none)


def _read(found: list[tuple[int, int]], none: npt.NDArray[np.uint8]) -> Batch:
    table = np.array(found, np.uint64).reshape(-1, 2)
    return Batch(np.full(len(table), IN, np.uint8), table[:, 1].copy(), task=table[:, 0].astype(np.int32), pages=none)


def _fields(header: bytes) -> tuple[int, int] | None:
    return _task_and_slot(FIELDS.fullmatch(header.translate(None, PADDING)))


def _word(line: bytes) -> tuple[int, int] | None:
    return _task_and_slot(WORD.fullmatch((line.split() or [b""])[-1]))


def _task_and_slot(found: re.Match[bytes] | None) -> tuple[int, int] | None:
    """None unless the numbers can be those of a user and of the first sector of a page."""
    if not found or int(found[1]) >= 1 << 31 or int(found[2]) % SECTORS:
        return None
    return int(found[1]), int(found[2]) // SECTORS
