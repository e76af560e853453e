"""What blkparse prints of a blktrace."""

from __future__ import annotations

import re
from functools import cache
from typing import ClassVar

from workloads.readers.blockevents import END, RANGE, TIME, BlockEvents
from workloads.readers.input import Head

BEGIN = rb"[ \t]*(\d{1,4},\d{1,7}) +\d+ +\d+ +" + TIME + rb" +(\d{1,10}) +"  # CPU, number, time, process
EVENT = re.compile(BEGIN + rb"[A-Z]{1,2} +\S")
BARE = re.compile(BEGIN + rb"[A-Z]{1,2} +[A-Z]{1,8} +(?:\d+ )?(?:\([^\n)]*\) )?" + END)  # a flush, or a command
STARTS = re.compile(rb"[ \t]*\d{1,4},\d{1,7} +\d")
SKIPS = re.compile(rb"Skips: *\d+ forward \((\d+) ")
LOOKED = 1000  # lines that the format is told by


class Blkparse(BlockEvents):
    """`blkparse -i NAME` as it prints by default, with the summary at its end or without.

    Requests may be issued (D) without having been inserted (I) into a scheduler's queue.
    """

    name: ClassVar[str] = "blkparse"
    title: ClassVar[str] = "requests of a block device, as blkparse prints them"
    actions: ClassVar[tuple[bytes, ...]] = (b"Q", b"D", b"I", b"C")
    nothing: ClassVar[tuple[str, str]] = (
        "there are no reads or writes",
        "give blkparse's text with Q, D, I or C events",
    )

    @classmethod
    def sniff(cls, head: Head) -> bool:
        """By a line of an event."""
        return any(EVENT.match(line) for line in head.lines[:LOOKED])

    @classmethod
    @cache
    def pattern(cls, action: bytes) -> re.Pattern[bytes]:
        """See `BlockEvents.pattern`."""
        request = BEGIN + action + rb" +([A-Z]{1,8}) +" + RANGE + rb"(?:\([ \d]{1,30}\) )?" + END
        return re.compile(rb"^(?:" + request + rb"|([^\n]*))", re.MULTILINE)

    @classmethod
    def damaged(cls, line: bytes, action: bytes) -> bool:
        """See `BlockEvents.damaged`."""
        if not STARTS.match(line):
            return False
        fields = line.split(None, 6)
        return len(fields) < 6 or (fields[5] == action and not BARE.match(line))

    @classmethod
    def lost(cls, line: bytes) -> int:
        """See `BlockEvents.lost`."""
        found = SKIPS.match(line)
        return int(found[1]) if found else 0
